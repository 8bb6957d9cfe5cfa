"""What people wrote of countries and places: The World Factbook and WordNet, matched to the places of the atlas."""
