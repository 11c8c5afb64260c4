//! Tests of the decoder as a whole, by what they are about.

mod build;
mod fragments;
mod glances;
mod headers;
mod hostile;
mod links;
mod tunnels;
