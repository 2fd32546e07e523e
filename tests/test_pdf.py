"""Pages as PDF: printed where there is a browser, and a plain word where there is none."""

import re
import shutil
import zlib

import pytest

from sentencing.site import SiteError, pdf

BROWSER = next(filter(None, map(shutil.which, pdf.BROWSERS)), None)
needs_browser = pytest.mark.skipif(not BROWSER, reason="PDF is printed by chromium, which is not installed")


def objects(content: bytes) -> bytes:
    """A PDF with its packed streams unpacked."""
    unpacked = [content]
    for stream in re.findall(rb"stream\r?\n(.*?)\r?\nendstream", content, re.DOTALL):
        try:
            unpacked.append(zlib.decompress(stream))
        except zlib.error:
            continue  # a font or a picture that is packed in another way
    return b"\n".join(unpacked)


@needs_browser
@pytest.mark.build
def test_notebooks_and_named_pages_are_printed(built_site, tmp_path, capsys):
    assert pdf.main(["--site", str(built_site.to), "--to", str(tmp_path / "pdf")]) == 0
    assert "01-first.pdf" in capsys.readouterr().out
    assert pdf.main(["--site", str(built_site.to), "--to", str(tmp_path / "pdf"), "--pages", "country-srb"]) == 0
    assert sorted(path.name for path in (tmp_path / "pdf").iterdir()) == [
        "01-first.pdf",
        "02-second.pdf",
        "country-srb.pdf",
    ]
    content = objects((tmp_path / "pdf" / "01-first.pdf").read_bytes())
    assert content.startswith(b"%PDF-") and int(re.search(rb"/Count (\d+)", content)[1]) > 0
    title = re.search(rb"/Title \((.*?)\)|/Title <([0-9A-Fa-f]+)>", content)
    told = title[1] or bytes.fromhex(title[2].decode())
    assert b"First & foremost" in told or "First & foremost".encode("utf-16-be") in told
    for place in (built_site.to, tmp_path):
        assert str(place).encode() not in content  # a link on paper leads to no file of this machine


def test_without_a_browser_the_package_to_install_is_named(built_site, tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert pdf.main(["--site", str(built_site.to), "--to", str(tmp_path / "pdf")]) == 1
    assert "apt install chromium" in capsys.readouterr().err and not (tmp_path / "pdf").exists()


def test_pages_that_are_not_there_are_named(built_site, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "browser", lambda: "no browser is started")
    with pytest.raises(SiteError, match="no page nowhere; make site"):
        pdf.print_pages(built_site.to, tmp_path, ["01-first", "nowhere"])
    with pytest.raises(SiteError, match="no page of a notebook"):
        pdf.print_pages(tmp_path, tmp_path)


def test_browser_that_prints_nothing_is_an_error(built_site, tmp_path, monkeypatch):
    monkeypatch.setattr(pdf, "browser", lambda: shutil.which("false"))
    with pytest.raises(SiteError, match="01-first: Chromium printed nothing"):
        pdf.print_pages(built_site.to, tmp_path / "pdf", ["01-first"])
    assert list((tmp_path / "pdf").iterdir()) == []
