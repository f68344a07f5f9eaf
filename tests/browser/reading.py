"""What a test does with the page, as a person does."""

from __future__ import annotations

import base64
from pathlib import Path

from playwright.sync_api import Page, expect

_CARRY = """([files, kind]) => {
  const carried = new DataTransfer();
  for (const { name, type, data } of files) {
    carried.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { type }));
  }
  if (kind === 'paste') {
    const event = { clipboardData: carried, bubbles: true, cancelable: true };
    document.body.dispatchEvent(new ClipboardEvent('paste', event));
  } else {
    for (const step of ['dragenter', 'dragover', 'drop']) {
      document.querySelector('#drop').dispatchEvent(
        new DragEvent(step, { dataTransfer: carried, bubbles: true, cancelable: true }));
    }
  }
}"""


def choose(page: Page, *paths: Path) -> None:
    """Chooses files in the browser's own dialogue."""
    with page.expect_file_chooser() as dialogue:
        page.get_by_role("button", name="Choose images").click()
    dialogue.value.set_files(paths)


def carry(page: Page, kind: str, *paths: Path) -> None:
    """Drops files on the page, or pastes them: `kind` is drop or paste."""
    files = [
        {"name": path.name, "type": "image/png", "data": base64.b64encode(path.read_bytes()).decode()} for path in paths
    ]
    page.evaluate(_CARRY, [files, kind])


def expect_number(page: Page, text: str) -> None:
    """Waits until the number is read, all of it: the digit that is chosen and its bars as well."""
    expect(page.locator("#number .visually-hidden")).to_have_text(text)
    expect(page.locator("#result")).to_have_attribute("aria-busy", "false")
    expect(page.locator(".bar.best")).to_have_count(1)


def expect_trouble(page: Page, title: str, advice: str) -> None:
    """Waits until the page says what is wrong, and what to do."""
    expect(page.get_by_role("alert")).to_contain_text(title)
    expect(page.get_by_role("alert")).to_contain_text(advice)
