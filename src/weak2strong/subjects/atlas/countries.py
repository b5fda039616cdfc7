"""What the facts file does not say of countries: names of their languages, and who has no coast."""

from __future__ import annotations

_LANGUAGES = (
    "aa Afar, am Amharic, ar Arabic, az Azerbaijani, be Belarusian, bg Bulgarian, bn Bengali, "
    "bs Bosnian, cmn Mandarin, cs Czech, da Danish, de German, dv Dhivehi, dz Dzongkha, el "
    "Greek, en English, es Spanish, et Estonian, fa Persian, fi Finnish, fr French, he Hebrew, "
    "hr Croatian, ht Haitian, hu Hungarian, hy Armenian, id Indonesian, is Icelandic, it "
    "Italian, ja Japanese, ka Georgian, kk Kazakh, km Khmer, ko Korean, ky Kyrgyz, lb "
    "Luxembourgish, lo Lao, lt Lithuanian, lv Latvian, mk Macedonian, mn Mongolian, ms Malay, "
    "my Burmese, ne Nepali, nl Dutch, no Norwegian, ny Chichewa, pl Polish, pt Portuguese, ro "
    "Romanian, ru Russian, rw Kinyarwanda, si Sinhala, sk Slovak, sl Slovenian, so Somali, sq "
    "Albanian, sr Serbian, sv Swedish, sw Swahili, tet Tetum, tg Tajik, th Thai, tk Turkmen, tl "
    "Tagalog, tr Turkish, uk Ukrainian, ur Urdu, uz Uzbek, vi Vietnamese, zh Mandarin, zu Zulu"
)

LANGUAGES: dict[str, str] = {
    code: name for code, _, name in (pair.partition(" ") for pair in _LANGUAGES.split(", "))
}
"""English names by the language codes that GeoNames puts first for some country of the file."""

_WITHOUT_COAST = (
    "AD AF AM AT AZ BF BI BO BT BW BY CF CH CZ ET HU KG KZ LA LI LS LU "
    "MD MK ML MN MW NE NP PY RS RW SK SM SS SZ TD TJ TM UG UZ VA XK ZM ZW"
)

LANDLOCKED = frozenset(_WITHOUT_COAST.split())
"""Codes of the countries without a sea coast (the Caspian is a lake)."""
