"""Present pictures of the spot that was clicked, from open services: off until a visitor switches them on."""
