"""Parses dates as publishers write them."""

from __future__ import annotations

import datetime as dt
import re

_MONTHS = {  # in English, and in Arabic as written in Egypt and the Gulf, in the Levant and Iraq, in the Maghreb
    name: number
    for number, names in enumerate(
        (
            "january,jan,يناير,كانون الثاني,جانفي",
            "february,feb,فبراير,شباط,فيفري",
            "march,mar,مارس,آذار",
            "april,apr,أبريل,ابريل,إبريل,نيسان,أفريل",
            "may,مايو,أيار,ايار,ماي",
            "june,jun,يونيو,يونيه,حزيران,جوان",
            "july,jul,يوليو,يوليه,تموز,جويلية",
            "august,aug,أغسطس,اغسطس,آب,أوت",
            "september,sep,sept,سبتمبر,أيلول,ايلول,شتنبر",
            "october,oct,أكتوبر,اكتوبر,تشرين الأول,تشرين الاول",
            "november,nov,نوفمبر,تشرين الثاني",
            "december,dec,ديسمبر,كانون الأول,كانون الاول,دجنبر",
        ),
        start=1,
    )
    for name in names.split(",")
}
_DAY_FIRST = re.compile(
    r"(?P<day>\d{1,2})(?:st|nd|rd|th)?[\s.-]+(?:of\s+)?"
    r"(?P<month>[A-Za-z]{3,9}|(?:(?:تشرين|كانون) )?[\u0621-\u064a]{2,8})\.?[\s,،.-]+(?P<year>\d{4})\b"
)
_MONTH_FIRST = re.compile(r"(?P<month>[A-Za-z]{3,9})\.?\s+(?P<day>\d{1,2})(?:st|nd|rd|th)?,?\s+(?P<year>\d{4})\b")
_RFC_2822 = re.compile(
    r"(?:[A-Z][a-z]{2}, )?\d{1,2} [A-Z][a-z]{2} \d{4} \d\d:\d\d(?::\d\d)?(?: [+-]\d{4}| [A-Z]{2,4})?$"
)
_ISO_DAY = re.compile(r"\d{4}-\d{2}-\d{2}(?!\d)")
_SLASHED = re.compile(r"(?P<year>\d{4})[/.](?P<month>\d{1,2})[/.](?P<day>\d{1,2})\b")


def iso_date(text: str) -> str | None:
    """The date in the text as ISO 8601, with its time if the text is just a date and time; None if there is none.

    Understands ISO 8601, RFC 2822, "24 November 2026", "Nov. 24, 2026" and "2026/11/24", and in Arabic
    "24 November 2026" and "2026/11/24", with either kind of digits. "03/04/2026" is ambiguous and gives None.
    """
    text = text.strip()
    try:
        time = dt.datetime.fromisoformat(text)
    except ValueError:
        pass
    else:
        return time.date().isoformat() if len(text) <= len("2026-11-24") else time.isoformat()
    from email.utils import parsedate_to_datetime

    if _RFC_2822.match(text):
        try:
            return parsedate_to_datetime(text).isoformat()
        except (ValueError, TypeError, OverflowError):
            pass
    if found := _ISO_DAY.search(text):
        return _day(*found[0].split("-"))
    for pattern in (_DAY_FIRST, _MONTH_FIRST, _SLASHED):
        for found in pattern.finditer(text):
            month = str(_MONTHS.get(found["month"].lower(), found["month"]))
            if day := _day(found["year"], month, found["day"]):
                return day
    return None


def _day(year: str, month: str, day: str) -> str | None:
    try:
        return dt.date(int(year), int(month), int(day)).isoformat()
    except ValueError:
        return None
