"""Recipes that scapy carries out alone: the same bytes every time."""
