"""How far an office is: great-circle distances between the middles of regions."""

from functools import cache
from math import asin, cos, radians, sin, sqrt

from shared.contracts import codes

EARTH_KM = 6371.0


@cache
def km(one: str, other: str) -> int | None:
    """Whole kilometres between the middles of two regions, each a province `PP` or a regency `PP.KK` (haversine).

    None where a region is not known.
    """
    here, there = (codes.regencies().get(region) or codes.provinces().get(region) for region in (one, other))
    if here is None or there is None:
        return None
    (lat, lon), (lat2, lon2) = (map(radians, place) for place in (here.place, there.place))
    chord = sin((lat2 - lat) / 2) ** 2 + cos(lat) * cos(lat2) * sin((lon2 - lon) / 2) ** 2
    return round(2 * EARTH_KM * asin(sqrt(chord)))
