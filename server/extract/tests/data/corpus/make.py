"""Makes the files of this folder from texts.json, one of each format by each program in each language.

Nothing runs this but a person who wants other files: `python3 make.py`, on a machine with LibreOffice, pandoc,
Chromium and fonts of the languages' scripts, and with weasyprint and openpyxl for Python.
"""

import csv
import email.message
import email.policy
import html
import json
import pathlib
import subprocess
import tempfile

HERE = pathlib.Path(__file__).parent
TEXTS = json.loads((HERE / "texts.json").read_text(encoding="utf-8"))
# What mail programs of the place still write; the others write UTF-8.
CHARSETS = {
    "de": "iso-8859-1", "fr": "iso-8859-15", "pl": "iso-8859-2", "cs": "windows-1250", "tr": "iso-8859-9",
    "ru": "koi8-r", "uk": "windows-1251", "el": "iso-8859-7", "zh": "gb18030", "ja": "iso-2022-jp", "ko": "euc-kr",
}


def run(*command):
    subprocess.run([str(part) for part in command], check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def office(profile, source, wanted, folder, infilter=None):
    filters = [f"--infilter={infilter}"] if infilter else []
    run("soffice", f"-env:UserInstallation=file://{profile}", "--headless", *filters, "--convert-to", wanted, "--outdir", folder, *source)


def page(language, title, heading, text, known, what, cost):
    e = html.escape
    return f"""<!DOCTYPE html><html lang="{language}"><head><meta charset="utf-8"><title>{e(title)}</title></head>
<body><h1>{e(title)}</h1><p>{e(text)}</p><h2>{e(heading)}</h2><p>{e(known)}</p>
<table border="1"><tr><td>{e(what)}</td><td>{e(cost)}</td></tr></table></body></html>"""


def slides(title, heading, text, known):
    e = html.escape

    def frame(top, height, words):
        return (f'<draw:frame svg:x="2cm" svg:y="{top}cm" svg:width="22cm" svg:height="{height}cm">'
                f"<draw:text-box><text:p>{e(words)}</text:p></draw:text-box></draw:frame>")

    pages = [("1", title, text), ("2", heading, known)]
    drawn = "".join(f'<draw:page draw:name="{n}">{frame(2, 3, top)}{frame(6, 12, below)}</draw:page>' for n, top, below in pages)
    names = " ".join(f'xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name if name != "svg" else "svg-compatible"}:1.0"'
                     for name in ["office", "text", "svg"])
    return (f'<?xml version="1.0" encoding="UTF-8"?><office:document {names} xmlns:draw="urn:oasis:names:tc:opendocument:xmlns:drawing:1.0" '
            'office:version="1.3" office:mimetype="application/vnd.oasis.opendocument.presentation">'
            f"<office:body><office:presentation>{drawn}</office:presentation></office:body></office:document>")


def mail(language, title, text, known):
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = "Somebody <somebody@example.org>"
    message["To"] = "You <you@example.org>"
    message["Subject"] = title
    message["Date"] = "Mon, 3 Nov 2025 09:00:00 +0000"
    charset = CHARSETS.get(language, "utf-8")
    message.set_content(f"{text}\n\n{known}\n", charset=charset)
    return bytes(message)


def make(profile, work, language, texts):
    import openpyxl
    import weasyprint

    title, heading, text, known, what, cost = texts
    folder = HERE / language
    folder.mkdir(exist_ok=True)

    def keep(made, name):
        made.replace(folder / name)

    source = work / "text.html"
    source.write_text(page(language, title, heading, text, known, what, cost), encoding="utf-8")
    # As a web page a text would lose its pages.
    for wanted in ["docx", "epub", "pdf"]:
        office(profile, [source], wanted, work, "HTML (StarWriter)")
        keep(work / f"text.{wanted}", f"libreoffice.{wanted}")
    office(profile, [folder / "libreoffice.docx"], "html", work)
    keep(work / "libreoffice.html", "libreoffice.html")

    table = work / "table.csv"
    with table.open("w", encoding="utf-8", newline="") as out:
        csv.writer(out).writerows([[title, heading], [known, ""], [what, cost]])
    for wanted in ["xlsx", "ods", "xls"]:
        # Commas, quotes, UTF-8.
        office(profile, [table], wanted, work, "CSV:44,34,76")
        keep(work / f"table.{wanted}", f"libreoffice.{wanted}")
    book = openpyxl.Workbook()
    for row in [[title, heading], [known, None], [what, cost]]:
        book.active.append(row)
    book.save(folder / "openpyxl.xlsx")

    shown = work / "slides.fodp"
    shown.write_text(slides(title, heading, text, known), encoding="utf-8")
    office(profile, [shown], "pptx", work)
    keep(work / "slides.pptx", "libreoffice.pptx")

    markdown = work / "text.md"
    markdown.write_text(f"---\ntitle: {json.dumps(title, ensure_ascii=False)}\nlang: {language}\n---\n\n{text}\n\n# {heading}\n\n{known}\n\n| | |\n|-|-|\n| {what} | {cost} |\n", encoding="utf-8")
    for wanted in ["docx", "epub", "pptx", "html"]:
        run("pandoc", "--standalone", markdown, "-o", folder / f"pandoc.{wanted}")

    run("chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--print-to-pdf={folder / 'chromium.pdf'}", "--no-pdf-header-footer", source)
    # It keeps whole fonts of these, which are large.
    if language not in ("zh", "ja", "ko"):
        weasyprint.HTML(str(source)).write_pdf(folder / "weasyprint.pdf")
    (folder / "python.eml").write_bytes(mail(language, title, text, known))


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as work:
        work = pathlib.Path(work)
        for language, texts in TEXTS.items():
            print(language, flush=True)
            make(work / "profile", work, language, texts)
