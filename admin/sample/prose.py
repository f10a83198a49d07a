"""Paragraphs for the invented articles: every sentence is put together from parts, the same ones each time."""

from __future__ import annotations

import random

SUBJECTS = {
    "water": (
        "The outer gauge",
        "Each spring tide",
        "The eastern channel",
        "Suspended load",
        "The moored sensor",
        "Freshwater inflow",
        "The bed profile",
    ),
    "library": (
        "The lending ledger",
        "The second librarian",
        "A borrowed atlas",
        "The reading committee",
        "Each subscription list",
        "The inventory of 1887",
        "The annexe",
    ),
    "sound": (
        "The long vowel",
        "Every second speaker",
        "The unstressed syllable",
        "Listener agreement",
        "The whispered token",
        "Vowel duration",
        "The loanword",
    ),
}
VERBS = (
    "rises with",
    "lags behind",
    "is bounded by",
    "anticipates",
    "cannot be separated from",
    "recovers faster than",
    "is recorded beside",
)
OBJECTS = {
    "water": (
        "the lunar phase",
        "the upstream weir",
        "a week of westerly wind",
        "the dredged reach",
        "the previous flood",
        "its own delayed echo",
    ),
    "library": (
        "the price of lamp oil",
        "the school calendar",
        "a change of governor",
        "the missing third volume",
        "the arrival of the mail coach",
        "local quarrels",
    ),
    "sound": (
        "the following consonant",
        "speech rate",
        "the speaker's home valley",
        "list position",
        "an expected pause",
        "the frame sentence",
    ),
}
TAILS = (
    "as Table 1 shows.",
    "although the effect is small.",
    "in all but two cases.",
    "which earlier work had overlooked.",
    "and the pattern holds across years.",
    "a finding that invites caution.",
)
CHINESE = {
    "水": (
        ("外侧测站", "每次涨潮", "东支河道", "悬移质含量", "湖口断面", "入湖径流"),
        ("随月相变化", "滞后于上游来水", "受闸坝调度影响", "与前期洪水有关", "呈现逐年减弱的趋势", "在枯水期更为明显"),
    ),
    "书": (
        ("借阅登记簿", "第二任馆长", "一部外借的地图集", "阅览委员会", "历年订购目录", "民国时期的清册"),
        (
            "记录了灯油价格的涨落",
            "与学校的作息相呼应",
            "反映出地方人事的更替",
            "缺失了第三卷",
            "在邮路开通之后明显增多",
            "至今仍可辨认",
        ),
    ),
}


def paragraph(topic: str, seed: str, sentences: int = 6) -> str:
    """A paragraph on a topic; the same seed gives the same words."""
    chance = random.Random(seed)  # noqa: S311  # nosec - invented prose, no secret
    if topic in CHINESE:
        subjects, endings = CHINESE[topic]
        return "".join(f"{chance.choice(subjects)}{chance.choice(endings)}。" for _ in range(sentences))
    parts = (
        f"{chance.choice(SUBJECTS[topic])} {chance.choice(VERBS)} {chance.choice(OBJECTS[topic])}, {chance.choice(TAILS)}"
        for _ in range(sentences)
    )
    return " ".join(parts)
