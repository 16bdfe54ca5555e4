"""Versions of one story are duplicates whatever their headline and address; stories from one template are not."""

from __future__ import annotations

import itertools
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus import Article, Found, Library, Outcome, OutcomeKind
from corpus.text.dedupe import (
    SKETCH_SIZE,
    are_near_duplicates,
    canonical_url,
    containment,
    minhash_sketch,
    same_story,
    shingles,
    url_key,
)

STORY = """\
KUWAIT CITY: The Cabinet approved on Monday a plan to widen the coastal road between Salmiya and Fintas, \
Minister of Public Works Rana Al-Fares said.

The work begins in March and costs 42 million dinars, she told reporters after the weekly session. Two lanes are \
added on each side, and six bridges for people on foot replace the crossings where 31 accidents happened in \
2025.

Traffic will be led over Fahaheel Road while the bridges are built. The ministry has asked Gulf Consult to watch \
over the work, which was delayed twice since 2019 because bids came in above the estimate.

Residents of Salwa had asked for walls against the noise. Al-Fares said walls of four metres stand along the \
homes before the first lane opens. Shop owners in Salmiya fear for their parking places and want to meet the \
minister.

The plan goes to the National Assembly in January. Lawmaker Hamad Al-Otaibi called it late but welcome."""
OTHER = """\
The national football team drew 1-1 with Oman in Muscat on Thursday and stays third in Group B.

Yousef Nasser scored after eleven minutes, and Omar Al-Malki levelled before the break. Coach Rui Bento blamed \
the heat and praised goalkeeper Sulaiman Abdulghafoor, who saved a penalty in the last minute of a tired second \
half."""
RESULTS = (
    "{company} on {day} reported a net profit of {profit} million dinars for the third quarter, {way} from "
    "{before} million a year earlier, as {reason}. Earnings per share came to {share} fils, the bank said in a "
    "statement to Boursa Kuwait. Chief Executive {chief} said the results reflect the strength of the business "
    "and its careful approach to risk. Total assets reached {assets} billion dinars by the end of September, and "
    "the capital adequacy ratio stood at {ratio} percent, above what the central bank asks for. Shares of "
    "{company} closed at {close} fils on {day}, {way} {moved} percent."
)
BANK_ONE = RESULTS.format(
    company="Burgan Bank",
    day="Tuesday",
    profit="12.4",
    way="up",
    before="10.9",
    reason="provisions fell",
    share="3.4",
    chief="Tony Daher",
    assets="7.6",
    ratio="18.1",
    close="204",
    moved="1.2",
)
BANK_TWO = RESULTS.format(
    company="Gulf Bank",
    day="Wednesday",
    profit="15.8",
    way="down",
    before="19.1",
    reason="rates were cut",
    share="4.1",
    chief="Waleed Mandani",
    assets="7.2",
    ratio="16.7",
    close="291",
    moved="0.8",
)
WEATHER = (
    "The weather in {city} will be {sky} on {day}, the Meteorological Department said. Temperatures reach {high} "
    "degrees by day and fall to {low} degrees at night, with winds from the {wind} at {speed} kilometres an hour. "
    "The sea is {sea}, with waves of up to {waves} feet. Drivers are asked to take care on open roads and to keep "
    "their distance."
)
WEATHER_ONE = WEATHER.format(
    city="Kuwait City",
    sky="hot",
    day="Friday",
    high="47",
    low="31",
    wind="northwest",
    speed="45",
    sea="rough",
    waves="6",
)
WEATHER_TWO = WEATHER.format(
    city="Jahra", sky="dusty", day="Sunday", high="44", low="29", wind="southeast", speed="20", sea="calm", waves="2"
)
PARAGRAPHS = STORY.split("\n\n")
APPOINTED = (
    "أعلن مجلس الوزراء الكويتي يوم الاثنين تعيين {name} {post}، وذلك خلفا لسالم المطيري الذي شغل المنصب منذ عام 2019. "
    "وقال المتحدث الرسمي باسم الحكومة إن التعيين جاء بناء على ترشيح {minister}، وإن المجلس يثق بقدرته على تطوير العمل "
    "وتقديم أفضل الخدمات للمواطنين.\n\nوأضاف أن القرار يدخل حيز التنفيذ من تاريخ نشره في الجريدة الرسمية. ويحمل "
    "{family} شهادة {degree}، وسبق له العمل في {work} لأكثر من 20 عاما."
)
APPOINTED_ONE = APPOINTED.format(
    name="أحمد العتيبي", post="مديرا عاما لبلدية الكويت", minister="وزير البلدية", family="العتيبي",
    degree="الدكتوراه في الهندسة من جامعة القاهرة", work="وزارة الأشغال",
)  # fmt: skip
APPOINTED_TWO = APPOINTED.format(
    name="يوسف الشمري", post="مديرا عاما للجمارك", minister="وزير المالية", family="الشمري",
    degree="الدكتوراه في الاقتصاد من جامعة الكويت", work="وزارة التجارة",
)  # fmt: skip

ONE_STORY = {
    "word for word": (STORY, STORY),
    "other spaces and quotes": (STORY, STORY.replace("\n\n", "\n").replace("-", "–")),
    "capitals": (STORY, STORY.upper()),
    "agency's mark before it": (STORY, "KUNA - " + STORY + "\n\n(With inputs from agencies)"),
    "outlet's own last paragraph": (
        STORY,
        STORY + "\n\nThe Daily reported in May that Salwa's walls were left out of it.",
    ),
    "shortened to its first three paragraphs": (STORY, "\n\n".join(PARAGRAPHS[:3])),
    "shortened to its first two paragraphs": (STORY, "\n\n".join(PARAGRAPHS[:2])),
    "shortened in the middle": (STORY, "\n\n".join([PARAGRAPHS[0], *PARAGRAPHS[3:]])),
    "paragraphs in another order": (STORY, "\n\n".join(reversed(PARAGRAPHS))),
    "a number corrected": (STORY, STORY.replace("42 million", "45 million")),
    "a name and a number corrected": (STORY, STORY.replace("Fintas", "Fahaheel").replace("31 acc", "29 acc")),
    "update with a correction": (
        STORY,
        STORY.replace("six bridges", "five bridges")
        + "\n\nCorrection: an earlier version gave the number of bridges as six.",
    ),
    "update with a new first paragraph": (
        STORY,
        "Work on the coastal road may begin before March, the ministry said on Tuesday.\n\n" + STORY,
    ),
    "one word changed in each paragraph": (
        STORY,
        STORY.replace("approved", "passed")
        .replace("told", "said to")
        .replace("watch", "look")
        .replace("fear", "worry"),
    ),
    "results reprinted": (BANK_ONE, "Burgan Bank profit up\n\n" + BANK_ONE),
    "Arabic under another headline": (APPOINTED_ONE, "مدير جديد للبلدية\n\n" + APPOINTED_ONE),
    "Arabic shortened": (APPOINTED_ONE, APPOINTED_ONE.split("\n\n")[0]),
    "Arabic corrected": (APPOINTED_ONE, APPOINTED_ONE.replace("2019", "2018").replace("القاهرة", "الإسكندرية")),
    "weather reprinted short": (WEATHER_ONE, WEATHER_ONE[: WEATHER_ONE.index("Drivers")]),
}
TWO_STORIES = {
    "nothing in common": (STORY, OTHER),
    "results of two banks": (BANK_ONE, BANK_TWO),
    "results of one bank in two quarters": (
        BANK_ONE,
        RESULTS.format(
            company="Burgan Bank",
            day="Sunday",
            profit="9.7",
            way="down",
            before="12.4",
            reason="costs rose",
            share="2.6",
            chief="Tony Daher",
            assets="7.9",
            ratio="17.5",
            close="188",
            moved="2.3",
        ),
    ),
    "Arabic appointments of two men": (APPOINTED_ONE, APPOINTED_TWO),
    "weather of two days": (WEATHER_ONE, WEATHER_TWO),
    "a common paragraph of background": (STORY, OTHER + "\n\n" + PARAGRAPHS[2]),
    "a story and its follow-up": (
        STORY,
        "Shop owners in Salmiya met Minister of Public Works Rana Al-Fares on Sunday and left with a promise: 200 new "
        "places to park behind the old souk before the first lane closes.\n\nThe Cabinet approved a plan to widen the "
        "coastal road last week. Their speaker Abdullah Al-Ansari said they would wait and see. " + OTHER,
    ),
}


def shared(one: str, two: str) -> int:
    return sum(a == b for a, b in zip(minhash_sketch(one), minhash_sketch(two), strict=True))


@pytest.mark.parametrize(("one", "two"), ONE_STORY.values(), ids=ONE_STORY.keys())
def test_versions_of_one_story_are_the_same_and_share_sketch_values(one: str, two: str) -> None:
    assert same_story(one, two)
    assert shared(one, two) > 0


@pytest.mark.parametrize(("one", "two"), TWO_STORIES.values(), ids=TWO_STORIES.keys())
def test_different_stories_are_not_the_same(one: str, two: str) -> None:
    assert not same_story(one, two)
    assert not same_story(two, one)


CASES = {name: (*pair, True) for name, pair in ONE_STORY.items()} | {
    name: (*pair, False) for name, pair in TWO_STORIES.items()
}


@pytest.mark.parametrize("record", [False, True], ids=["files", "records"])
@pytest.mark.parametrize("at_once", [False, True], ids=["later", "at once"])
@pytest.mark.parametrize(("one", "two", "same"), CASES.values(), ids=CASES.keys())
def test_a_library_keeps_both_and_names_the_near_duplicate(
    tmp_path: Path, one: str, two: str, *, same: bool, at_once: bool, record: bool
) -> None:
    given = [
        Found(Article(name, f"Headline {name}", text, url=f"https://{name}.kw/"), name, record=record)
        for name, text in (("one", one), ("two", two), ("other", "Nothing to do with either of these two at all."))
    ]
    library = Library(tmp_path)
    batches = [given] if at_once else [given[:1], given[1:]]
    _, second, other = [outcome for batch in batches for outcome in Library(tmp_path).add(batch)]
    assert (second.kind, other) == (OutcomeKind.ADDED, Outcome(OutcomeKind.ADDED, "other", "Headline other", "other"))
    assert (
        second.reason is not None and second.reason.endswith("the same text as one, kept as a further source")
    ) is same
    assert library.ids() == ["one", "other", "two"]


def test_a_sketch_depends_on_the_words_alone_in_every_process() -> None:
    assert minhash_sketch(STORY) == minhash_sketch(STORY.upper().replace("\n", " "))
    assert minhash_sketch("The plan, it said.")[:2] == [565110427, 3721211666]
    assert len(minhash_sketch("?!")) == SKETCH_SIZE
    assert all(0 <= value < 2**32 for value in minhash_sketch(STORY))


def test_a_thousand_different_stories_stay_different() -> None:
    draw = random.Random(7)
    words = [f"{a}{b}" for a in ("ka", "mo", "ri", "su", "ten", "va") for b in ("lo", "mi", "na", "per", "to", "zu")]
    texts = [" ".join(draw.choices(words, k=80)) for _ in range(1000)]
    met = [set(enumerate(minhash_sketch(text))) for text in texts]
    assert sum(bool(a & b) for at, a in enumerate(met) for b in met[:at]) < 500
    assert not any(same_story(a, b) for a, b in itertools.pairwise(texts))


@pytest.mark.parametrize(
    ("one", "two", "share"),
    [
        ("a b c d e f", "x A, b c d e f y z", 1.0),
        ("a b c d e f", "a b c d e x", 0.5),
        ("a b", "A b!", 1.0),
        ("?!", " ?! ", 1.0),
        ("", "a", 0.0),
    ],
)
def test_containment_is_a_share_of_the_shorter_text(one: str, two: str, share: float) -> None:
    assert containment(shingles(one), shingles(two)) == containment(shingles(two), shingles(one)) == share
    assert are_near_duplicates(shingles(one), shingles(two)) is (share > 0.5)


@pytest.mark.parametrize(
    ("url", "canonical"),
    [
        ("https://x.kw/a?utm_source=tw&id=3&fbclid=x#top", "https://x.kw/a?id=3"),
        ("HTTPS://X.KW:443/A/", "https://x.kw/A/"),
        ("http://x.kw", "http://x.kw/"),
        ("http://x.kw:8080/a?b=", "http://x.kw:8080/a?b="),
        ("https://x.kw/a?ref=home&b=2&a=1", "https://x.kw/a?b=2&a=1"),
        ("https://x.kw/الكويت", "https://x.kw/الكويت"),
        (" http://[::bad/ ", "http://[::bad/"),
        ("http://x.kw:port/", "http://x.kw:port/"),
        ("urn:x:1", "urn:x:1"),
        ("", ""),
    ],
)
def test_an_address_loses_its_tracking_parameters(url: str, canonical: str) -> None:
    assert canonical_url(url) == canonical


@pytest.mark.parametrize(
    ("one", "two", "same"),
    [
        ("https://www.x.kw/a/", "http://x.kw/a?utm_medium=mail", True),
        ("https://m.x.kw/a/amp/", "https://x.kw/a", True),
        ("https://x.kw/a/index.html", "https://x.kw/a", True),
        ("https://x.kw/a?b=1&c=2", "https://x.kw/a?c=2&b=1", True),
        ("https://x.kw/a?id=1", "https://x.kw/a?id=2", False),
        ("https://x.kw/a", "https://x.kw/A", False),
        ("https://x.kw/a", "https://y.kw/a", False),
    ],
)
def test_two_addresses_of_one_page_have_the_same_key(one: str, two: str, *, same: bool) -> None:
    assert (url_key(one) == url_key(two)) is same


@given(st.text() | st.from_regex(r"https?://[a-z.]{1,9}(:\d{1,6})?/[a-zA-Z/%]{0,9}(\?[a-z=&_]{0,20})?", fullmatch=True))
def test_a_canonical_address_stays_what_it_is(url: str) -> None:
    try:
        canonical = canonical_url(url)
    except ValueError:
        canonical = ""
    assert canonical == "" or canonical_url(canonical) == canonical


@given(st.text(), st.text())
def test_any_two_texts_can_be_compared_in_either_order(one: str, two: str) -> None:
    assert same_story(one, two) == same_story(two, one)
