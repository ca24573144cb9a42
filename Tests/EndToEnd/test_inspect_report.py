"""`larder-inspect report` in a real browser: what it shows, on a desk, on a phone and in the dark."""
import html
import json
import re
import struct
import subprocess
import zlib

import pytest

import mixes
from inspector import inspect
from servers import ROOT

# Keys that would run if they were taken for markup.
NASTY = [
    b"<script>document.title='owned'</script>",
    b"</script><img src=x onerror=\"document.title='owned'\">",
    b"<!--<script>",
    b"\"><b id=owned>",
    b"'+alert(1)+'",
    "größe:日本語".encode(),
    b"binary:\xff\xfe\x00",
    b"\xe2\x80\xa8line",
]


@pytest.fixture(scope="session")
def chromium():
    subprocess.run([ROOT / "Tools" / "install", "chromium"], check=True)

    def run(page, *arguments, width=1280, height=2200):
        command = ["chromium", "--headless=new", "--no-sandbox", "--disable-gpu", "--hide-scrollbars",
                   "--host-resolver-rules=MAP * ~NOTFOUND", f"--user-data-dir={page.parent / 'profile'}",
                   f"--window-size={width},{height}", "--virtual-time-budget=2000", *arguments, page.as_uri()]
        return subprocess.run(command, capture_output=True, timeout=120, check=True).stdout.decode()

    return run


@pytest.fixture
def page(peer, tmp_path):
    """A report of a data set with everything in it, nasty keys among the biggest."""
    server = peer("valkey-9.1.2")
    with server.connect(timeout=60) as connection:
        for request in mixes.Mix("report", 0.05).everything():
            connection.ask(*request)
        for index in range(300):
            connection.ask("SET", f"app:eu:user:{index}:cart", "x" * index, "EX", 60 + index * 1000)
        for key in NASTY:
            connection.ask("SET", key, "y" * 150_000)
        connection.ask("SELECT", 7)
        connection.ask("SET", "elsewhere", 1)
        connection.ask("FUNCTION", "LOAD", "#!lua name=<b>mylib\nserver.register_function('f', function() return 1 end)"
                       .replace("<b>", ""))
    path = tmp_path / "report.html"
    inspect("report", "-o", path, server.save())
    return path


def driven(page, script):
    """A copy of the page in which a script does what a user would."""
    copy = page.parent / "driven.html"
    copy.write_text(page.read_text().replace("</body>", f"<script>{script}</script></body>"))
    return copy


def test_the_page_needs_nothing_from_elsewhere(page):
    text = re.sub('id="data">.*?</script>', "", page.read_text(), flags=re.DOTALL)
    assert not re.search(r"(?:src|href)=[\"']?(?!data:)[a-z/]|url\(|@import|https?://", text)
    assert page.stat().st_size < 1 << 20


def test_keys_are_shown_and_none_is_taken_for_markup(page, chromium):
    dom = chromium(page, "--dump-dom")
    assert 'data-ready="yes"' in dom
    title = re.search("<title>(.*?)</title>", dom).group(1)
    assert title.endswith("dump.rdb - larder-inspect")
    assert "<img" not in dom and 'id="owned"' not in dom and dom.count("<script") == 2
    keys = [html.unescape(cell) for cell in re.findall(r'<td class="key">(.*?)</td>', dom, re.DOTALL)]
    for key in NASTY[:6]:
        assert key.decode() in keys
    assert "binary:\\xff\\xfe\\x00" in keys and "\\xe2\\x80\\xa8line" in keys
    assert dom.count('class="tile') > 30
    assert "keys in 2 databases" in dom and "mylib" in dom


def test_the_figures_are_those_of_the_summary(page, chromium):
    text = page.read_text()
    data = json.loads(re.search(r'id="data">(.*?)</script>', text, re.DOTALL).group(1))
    summary = data["summary"]
    assert data["prefixes"][1] == summary["keys"]
    assert sum(band["keys"] for band in data["sizes"]) == summary["keys"]
    assert sum(band["bytes"] for band in data["sizes"]) == summary["bytes"] == data["prefixes"][2]

    def check(node):
        for column in (1, 2, 3):
            assert sum(child[column] for child in node[4]) <= node[column]
        for child in node[4]:
            check(child)

    check(data["prefixes"])


def test_search_zoom_and_order_work(page, chromium):
    script = """
    document.getElementById("search").value = "BINARY";
    document.getElementById("search").dispatchEvent(new Event("input"));
    [...document.querySelectorAll("#metric button")].find(button => button.textContent === "Keys").click();
    [...document.querySelectorAll("#flame .tile")].find(tile => tile.textContent.startsWith("app:")).click();
    """
    dom = chromium(driven(page, script), "--dump-dom")
    keys = re.findall(r'<td class="key">(.*?)</td>', dom, re.DOTALL)
    assert keys == ["binary:\\xff\\xfe\\x00"]
    path = re.findall("<button[^>]*>(.*?)</button>", re.search(r'id="path">(.*?)</div>', dom, re.DOTALL).group(1))
    assert path == ["all keys", "app:"]
    assert "300" in re.search(r'id="path">(.*?)</div>', dom, re.DOTALL).group(1)


def picture(path):
    """Width, height, and the colour of the first pixel, which no filter of a PNG changes."""
    content = path.read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    packed = b""
    place = 8
    while place < len(content):
        length, kind = struct.unpack(">I4s", content[place:place + 8])
        if kind == b"IDAT":
            packed += content[place + 8:place + 8 + length]
        place += 12 + length
    return width, height, tuple(zlib.decompress(packed)[1:4])


@pytest.mark.parametrize("width, height, dark", [(1280, 2200, False), (390, 2600, False), (1280, 2200, True)])
def test_it_is_drawn_on_a_desk_on_a_phone_and_in_the_dark(page, chromium, tmp_path, width, height, dark):
    # Nothing may stick out of a narrow screen.
    script = "document.body.dataset.wide = document.documentElement.scrollWidth > innerWidth"
    options = ["--blink-settings=preferredColorScheme=0"] if dark else []
    dom = chromium(driven(page, script), "--dump-dom", *options, width=width, height=height)
    assert 'data-wide="false"' in dom
    target = tmp_path / "picture.png"
    chromium(page, f"--screenshot={target}", *options, width=width, height=height)
    found = picture(target)
    assert found[:2] == (width, height)
    assert (max(found[2]) < 64) if dark else (min(found[2]) > 224)
    assert target.stat().st_size > 40_000
