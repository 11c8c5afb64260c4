"""How stores of earlier versions become this one's."""
