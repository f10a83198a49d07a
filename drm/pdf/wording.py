"""The fixed words of covers and stamps in both languages, and how dates are written."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)

WORDS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "untitled": "Copy of a document",
        "reader": "Copy for",
        "library": "Supplied by",
        "delivery": "Delivery number",
        "date": "Supplied on",
        "basis": "Legal basis",
        "agreement": "Agreement",
        "expires": "Available until",
        "licence": "Licence",
        "source": "Source",
        "terms": "What you may do with this copy",
        "notices": "Copyright",
        "check": "Is this copy genuine?",
        "answers": "The check shows genuine, withdrawn or unknown, and no name.",
    },
    "zh": {
        "untitled": "文献复制件",
        "reader": "文件提供给",
        "library": "提供馆",
        "delivery": "传递编号",
        "date": "提供日期",
        "basis": "法律依据",
        "agreement": "授权协议",
        "expires": "有效期至",
        "licence": "许可协议",
        "source": "来源",
        "terms": "使用范围",
        "notices": "著作权",
        "check": "查验真伪",
        "answers": "查验结果只显示“真实”“已撤销”或“未知”，不显示姓名。",
    },
}


def short_date(day: date, language: str) -> str:
    """The date as it stands in a footer."""
    return day.isoformat() if language == "zh" else f"{day.day} {MONTHS[day.month - 1][:3]} {day.year}"


def long_date(day: date, language: str) -> str:
    """The date as it stands on a cover."""
    if language == "zh":
        return f"{day.year}年{day.month}月{day.day}日"
    return f"{day.day} {MONTHS[day.month - 1]} {day.year}"
