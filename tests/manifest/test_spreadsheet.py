"""Catalogue files → rows: what spreadsheets write is read, and what cannot be read is told by row."""

import codecs
import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from function.delivery.cloud_event import Upload
from function.delivery.row_writer import row_manifest
from function.errors import ForbiddenReferenceError, InvalidManifestError
from function.manifest.spreadsheet import MAX_ROWS, read_rows
from function.settings import Settings
from tests.tiers import examples

PLAIN = "product,scene,placement\na.png,s.png,left\nb.png,s.png,\n"
READ = [
    {"product": "a.png", "scene": "s.png", "placement": "left"},
    {"product": "b.png", "scene": "s.png"},
]


def problem_of(row):
    """Why a row cannot be read; None where it can."""
    try:
        row.read()
    except ValueError as problem:
        return str(problem)
    return None


def fields(content: bytes | str, name: str = "x.csv") -> list:
    """What every row holds, or its problem."""
    packed = content.encode() if isinstance(content, str) else content
    return [problem_of(row) or row.read() for row in read_rows(name, packed)]


@pytest.mark.parametrize(
    "content",
    [
        PLAIN.encode(),
        codecs.BOM_UTF8 + PLAIN.encode(),
        PLAIN.encode("utf-16"),
        codecs.BOM_UTF16_BE + PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-16-le"),
        PLAIN.encode("utf-16-be"),
        PLAIN.encode("utf-32"),
        PLAIN.replace("\n", "\r\n").encode(),
        PLAIN.replace("\n", "\r").encode(),
        PLAIN.replace(",", ";").encode(),
        PLAIN.replace(",", "\t").encode("utf-16"),
        b"sep=;\r\n" + PLAIN.replace(",", ";").encode(),
        PLAIN.rstrip().encode(),
        ("\n\n" + PLAIN.replace("\n", "\n,,\n")).encode(),
        PLAIN.replace("placement\n", "placement,,\n").replace("left", " left ,,").encode(),
        b'"product","scene","placement"\n"a.png","s.png","left"\n"b.png","s.png",""\n',
        PLAIN.replace("product,scene,placement", 'Product , SCENE,"  Placement "').encode(),
        PLAIN.replace("product,scene,placement", "PRODUCT,Scene,placement").replace(",", ";").encode("utf-16"),
    ],
    ids=[
        "utf-8", "utf-8 with mark", "utf-16", "utf-16-be with mark", "utf-16-le bare", "utf-16-be bare", "utf-32",
        "windows line ends", "old mac line ends", "semicolons", "excel unicode text", "separator line",
        "no last line end", "empty lines", "empty trailing columns", "everything quoted",
        "capitals and spaces in the header", "capitals and semicolons",
    ],
)  # fmt: skip
def test_every_form_a_spreadsheet_writes_gives_the_same_rows(content):
    assert fields(content) == READ


def test_quotes_hold_delimiters_line_breaks_and_quotes():
    content = 'product,scene,placement\r\na.png,s.png,"left;\r\nthe ""big"" one, near"\r\nb.png,s.png,\r\n'
    assert fields(content)[0]["placement"] == 'left;\r\nthe "big" one, near'
    assert [(row.number, row.line) for row in read_rows("x.csv", content.encode())] == [(1, 2), (2, 4)]


def test_dotted_columns_fill_labels_and_output_and_numbers_become_numbers():
    content = (
        "product,scene.prompt,labels.sku,labels.price,output.format,output.quality,seed,max_px\n"
        'a.png,"a beach, at dusk",007,"1,50",jpeg,85,+7,\n'
    )
    assert fields(content) == [
        {
            "product": "a.png",
            "scene": {"prompt": "a beach, at dusk"},
            "labels": {"sku": "007", "price": "1,50"},
            "output": {"format": "jpeg", "quality": 85},
            "seed": 7,
        }
    ]


def test_capitals_in_the_header_are_no_other_column_but_a_label_keeps_its_own():
    content = "Product,Scene.Prompt,Output.Quality,Labels.SKU,labels.sku\na.png,a beach,85,X1,x2\n"
    assert fields(content) == [
        {
            "product": "a.png",
            "scene": {"prompt": "a beach"},
            "output": {"quality": 85},
            "labels": {"SKU": "X1", "sku": "x2"},
        }
    ]


def test_a_cell_of_scene_may_hold_a_json_object():
    assert fields('product;scene\na.png;"{""prompt"": ""a beach""}"\n')[0]["scene"] == {"prompt": "a beach"}


@pytest.mark.parametrize("cell", ["1,5", "85.5", "85 %", "1e2", "٨٥", "--1", "9" * 5000])
def test_what_is_no_whole_number_is_refused_by_row_and_column(cell):
    first, second = fields(f'product,scene,output.quality\na,s,"{cell}"\nb,s,85\n')
    assert "output.quality" in first and "not a whole number" in first
    assert second["output"] == {"quality": 85}


def test_a_broken_row_stops_no_other():
    content = 'product,scene\na,s\n"b"x,s\nc,s\nd,s,too,many\ne,s\n'
    rows = fields(content)
    assert [row["product"] for row in rows if isinstance(row, dict)] == ["a", "c", "e"]
    assert "line 3" in rows[1] and "quote" in rows[1]
    assert "4 cells" in rows[3]


def test_a_quote_that_is_never_closed_names_the_lines_it_has_swallowed():
    rows = fields('product,scene\na,s\nb,"s\nc,s\nd,s\n')
    assert rows[0] == {"product": "a", "scene": "s"}
    assert len(rows) == 2 and "lines 3 to 5" in rows[1]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "empty"),
        (b"\n\r\n , ,\n", "empty"),
        (b"product,scene\n", "no rows"),
        (b"product,scene\n,\n\n", "no rows"),
        (b"a.png,b.png\n", "product and scene"),
        (b"product,placement\na,b\n", "column scene is missing"),
        (b"product,scene,colour,Size\na,b,c,d\n", "'colour', 'Size'"),
        (b"product,scene,Scene\na,b,c\n", "duplicate column 'scene'"),
        (b"product,scene,labels.\na,b,c\n", "'labels.'"),
        (b"product,scene,labels.a,labels.a\na,b,c,d\n", "duplicate column 'labels.a'"),
        (b'product,"scene\na,b\n', "header"),
        ("product,scene,labels.café\np.png,s.png,a\n".encode("cp1252"), "CSV UTF-8"),
        (codecs.BOM_UTF16_LE + b"p\0r", "UTF-16"),
        (b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR", "header"),
    ],
)
def test_a_catalogue_that_cannot_be_used_at_all_says_why(content, said):
    with pytest.raises(InvalidManifestError) as problem:
        read_rows("x.csv", content)
    assert said in problem.value.message


def test_more_rows_than_allowed_are_refused_before_any_is_used():
    with pytest.raises(InvalidManifestError, match="100,000"):
        read_rows("x.csv", b"product,scene\n" + b"a,b\n" * (MAX_ROWS + 1))
    assert len(read_rows("x.csv", b"product,scene\n" + b"a,b\n" * MAX_ROWS)) == MAX_ROWS


def test_jsonl_reads_a_mark_blank_lines_windows_ends_and_line_separators_in_strings():
    first = {"product": "a.png", "scene": "s.png", "placement": "left\u2028of it\x85"}
    lines = ["", json.dumps(first, ensure_ascii=False), "  \r", json.dumps(READ[1]) + "\r"]
    assert fields(codecs.BOM_UTF8 + "\n".join(lines).encode(), "x.jsonl") == [first, READ[1]]
    assert fields("\n".join(lines).encode("utf-16"), "x.jsonl") == [first, READ[1]]
    assert [row.line for row in read_rows("x.jsonl", "\n".join(lines).encode())] == [2, 4]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"product": "a",', "not JSON"),
        (b'{"product": "a", "product": "b"}', "duplicate field"),
        (b'{"product": "\xe9"}', "UTF-8"),
        (b"[" * 100_000, "nested"),
        (b'{"seed": ' + b"9" * 5000 + b"}", "4300"),
    ],
)
def test_a_broken_line_of_jsonl_stops_no_other(line, said):
    good = json.dumps(READ[0]).encode()
    rows = fields(b"\n".join([good, line, good]), "x.jsonl")
    assert rows[0] == rows[2] == READ[0]
    assert said in rows[1]


CSV_PIECES = st.sampled_from(
    ["product", "scene", "output.quality", "labels.a", "scene.prompt", ",", ";", "\t", '"', '""', "\n", "\r\n", "\r",
     "a.png", "{", '{"prompt":1}', "gs://b/c", "data:,x", "..", "/", "12", "1,5", "\0", "é", "😀", "\ud800", " "]
)  # fmt: skip


@examples(300)
@given(st.lists(CSV_PIECES, max_size=60), st.sampled_from(["utf-8", "utf-16", "utf-16-le", "cp1252"]), st.booleans())
def test_no_csv_raises_anything_but_its_refusal(pieces, encoding, headed):
    header = "product,scene,output.quality,labels.a,scene.prompt\n" if headed else ""
    rows_or_refusal("x.csv", (header + "".join(pieces)).encode(encoding, "replace"))


@examples(300)
@given(st.binary(max_size=300))
def test_no_bytes_raise_anything_but_a_refusal(content):
    rows_or_refusal("x.csv", content)
    rows_or_refusal("x.jsonl", content)


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from(["\ud800", "gs://", "a/b"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["product", "scene", "prompt", "labels", "output", "\ud800"]), inner)
    ),
    max_leaves=8,
)


@examples(300)
@given(st.lists(JSON_VALUES, max_size=5))
def test_no_jsonl_raises_anything_but_refusals(values):
    rows_or_refusal("x.jsonl", "\n".join(json.dumps(value) for value in values).encode())


def rows_or_refusal(name: str, content: bytes) -> None:
    """Read it, and make every row's manifest."""
    limits = Settings(OUTPUT_BUCKET="out-bucket", GEMINI_API_KEY="unused")
    try:
        rows = read_rows(name, content)
    except InvalidManifestError as refused:
        assert refused.message
        return
    assert [row.number for row in rows] == list(range(1, len(rows) + 1))
    for row in rows:
        try:
            json.loads(row_manifest(row, Upload("e", "in-bucket", f"a/{name}", 1, datetime.now(UTC)), limits).body)
        except (InvalidManifestError, ForbiddenReferenceError) as refused:
            assert refused.message


@pytest.mark.parametrize("encoding", ["cp1252", "mac_roman", "cp850"])
def test_a_row_in_another_code_page_is_refused_by_itself(encoding):
    rows = read_rows("x.csv", b"product,scene\np.png,s.png\n" + "café.png,s.png\n".encode(encoding) + b"q.png,s.png\n")
    good, bad, other = rows
    assert good.fields is not None and other.fields is not None
    assert "not UTF-8" in problem_of(bad) and "CSV UTF-8" in problem_of(bad)
