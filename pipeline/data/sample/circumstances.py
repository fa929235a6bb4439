"""Lexicon of places, times, qualities, names and numbers."""

from __future__ import annotations

HOME_PLACES = (
    "at the market",
    "in the park",
    "near the station",
    "outside the library",
    "behind the theatre",
    "at the airport",
    "in the courtyard",
    "by the bridge",
    "in the main square",
    "at the school",
    "near the post office",
    "in the village hall",
    "in front of the bank",
    "at the fair",
)
AWAY_PLACES = (
    "on the island",
    "at the harbour",
    "in the mountains",
    "on the beach",
    "near the lighthouse",
    "in the desert",
    "at the campsite",
    "in the old fortress",
)
PLACES = HOME_PLACES + AWAY_PLACES
TIMES = (
    "on Monday",
    "on Tuesday",
    "on Thursday",
    "on Saturday",
    "in March",
    "in October",
    "last week",
    "before noon",
    "at dawn",
    "after lunch",
    "in the evening",
    "two days ago",
    "at midnight",
    "last winter",
)
THING_QUALITIES = (
    ("clean", "dirty"),
    ("new", "old"),
    ("cheap", "expensive"),
    ("heavy", "light"),
    ("wet", "dry"),
    ("large", "small"),
)
"""Pairs of opposites: whatever is one of them is not the other."""
PEOPLE_QUALITIES = (
    ("tall", "short"),
    ("young", "elderly"),
    ("rich", "poor"),
    ("calm", "nervous"),
    ("friendly", "rude"),
    ("lazy", "diligent"),
)
WOMEN = (
    "Anna", "Clara", "Edith", "Farah", "Greta", "Hanna", "Ines", "Julia", "Lena", "Maya",
    "Nora", "Olga", "Petra", "Rosa", "Sonja", "Tara", "Ulla", "Vera", "Wanda", "Zoe",
)  # fmt: skip
MEN = (
    "Adam", "Boris", "Carl", "David", "Emil", "Felix", "Georg", "Hugo", "Ivan", "Jonas",
    "Karim", "Leo", "Martin", "Nils", "Omar", "Paul", "Ralf", "Simon", "Tomas", "Viktor",
)  # fmt: skip
SURNAMES = (
    "Arden", "Brandt", "Castell", "Dorn", "Eklund", "Farrow", "Gellert", "Holm", "Iversen",
    "Keller", "Lindqvist", "Marek", "Novak", "Orlov", "Pryce", "Quint", "Rossi", "Sandor",
)  # fmt: skip
TOWNS = (
    "Albrook", "Bellmere", "Carrowby", "Dunhaven", "Elmsford", "Fenwick Bay", "Garsholt",
    "Hartmoor", "Ilverton", "Kestrelham", "Lowick", "Marwold", "Northam Sound", "Oakhurst",
    "Penderry", "Ravensby", "Silverton", "Thornwick", "Upper Wexley", "Velden",
)  # fmt: skip
NUMBERS = ("two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven")
"""Number words from 2 on: `NUMBERS[n - 2]`."""
