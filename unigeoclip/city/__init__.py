"""Drawing a city from its vector map: aerial picture, heights, street views, sentences.

Nothing random and no pixel passes from one of them to another; they share the map (`layers`) and the heights made of it
(`surface`), no more.
"""
