"""Dates, times and numbers as people read them, in the library's zone and the reader's language."""

from __future__ import annotations

import re
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from babel.dates import format_timedelta

WEEKDAYS = ("一", "二", "三", "四", "五", "六", "日")


def _chinese(language: str) -> bool:
    return language.lower().startswith("zh")


def offset(instant: datetime) -> str:
    """The offset of a local time, such as UTC+8 or UTC+5:30."""
    seconds = int((instant.utcoffset() or timedelta()).total_seconds())
    hours, minutes = divmod(abs(seconds) // 60, 60)
    sign = "-" if seconds < 0 else "+"
    return f"UTC{sign}{hours}" + (f":{minutes:02}" if minutes else "")


def city(zone: ZoneInfo) -> str:
    """The zone's place in words."""
    return zone.key.rpartition("/")[2].replace("_", " ")


def long_time(instant: datetime, zone: ZoneInfo, language: str) -> str:
    """Date, weekday, time and zone in full."""
    local = instant.astimezone(zone)
    if _chinese(language):
        place = "北京时间" if zone.key == "Asia/Shanghai" else f"{city(zone)}时间"
        return f"{local.year}年{local.month}月{local.day}日（星期{WEEKDAYS[local.weekday()]}）{local:%H:%M}，{place}（{offset(local)}）"
    return f"{local:%A} {local.day} {local:%B %Y, %H:%M}, {city(zone)} time ({offset(local)})"


def short_time(instant: datetime, zone: ZoneInfo, language: str) -> str:
    """Date and time for dense places."""
    local = instant.astimezone(zone)
    return f"{local:%Y-%m-%d %H:%M}" if _chinese(language) else f"{local.day} {local:%b %Y, %H:%M}"


def day(on: date, language: str) -> str:
    """A date in words."""
    return f"{on.year}年{on.month}月{on.day}日" if _chinese(language) else f"{on.day} {on:%B %Y}"


def told_time(iso: str, zone: ZoneInfo, language: str) -> str:
    """An ISO instant in full, or an ISO date as a date, in words."""
    if len(iso) > 10:
        return long_time(datetime.fromisoformat(iso), zone, language)
    return day(date.fromisoformat(iso), language)


def time_left(left: timedelta, language: str) -> str:
    """What is left: days and hours, below a day hours, below an hour minutes."""
    minutes = max(0, int(left.total_seconds()) // 60)
    days, hours = minutes // 1440, minutes % 1440 // 60
    if _chinese(language):
        if days:
            return f"还剩{days}天{hours}小时" if hours else f"还剩{days}天"
        return f"还剩{hours}小时" if hours else f"还剩{minutes}分钟"
    parts = (
        [_many(days, "day"), _many(hours, "hour")]
        if days
        else [_many(hours, "hour") if hours else _many(minutes, "minute")]
    )
    return " and ".join(part for part in parts if part) + " left" if any(parts) else "less than a minute left"


def lasting(span: timedelta, language: str) -> str:
    """How long something has lasted, in its largest unit: 3 minutes."""
    return format_timedelta(span, threshold=1.5, locale="zh" if _chinese(language) else "en")


def _many(number: int, noun: str) -> str:
    return "" if not number else f"{number} {noun}" + ("" if number == 1 else "s")


def size(number: int) -> str:
    """A file's size."""
    if number < 1000:
        return f"{number} B"
    return f"{number / 1000:.0f} kB" if number < 1_000_000 else f"{number / 1_000_000:.1f} MB"


def count(number: int, language: str) -> str:
    """A whole number: thousands grouped in English, plain in Chinese up to 9,999."""
    return str(number) if _chinese(language) and number < 10_000 else f"{number:,}"


def tongue(text: str) -> str:
    """The language tag that gives a text the right glyphs: by its script, so Latin counts as English."""
    for character in str(text):
        code = ord(character)
        if 0x3040 <= code <= 0x30FF:
            return "ja"
        if 0xAC00 <= code <= 0xD7AF:
            return "ko"
    return "zh-Hans" if any(0x3400 <= ord(character) <= 0x9FFF for character in str(text)) else "en"


def dashed(pages: str, language: str) -> str:
    """A page range with the dash of the language: 211–226, in Chinese 211—226."""
    return re.sub(r"(?<=\w)\s*[-\u2013\u2014~]\s*(?=\w)", "\u2014" if _chinese(language) else "\u2013", pages)
