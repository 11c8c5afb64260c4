"""Recipes that run real TCP stacks and servers in network namespaces."""
