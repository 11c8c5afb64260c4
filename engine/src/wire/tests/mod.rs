//! Tests of the decoder as a whole, by what they are about.

mod build;
mod fragments;
mod headers;
mod hostile;
mod links;
mod tunnels;
