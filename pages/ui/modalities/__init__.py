"""Page Modalities: do the modalities of a place agree?"""
