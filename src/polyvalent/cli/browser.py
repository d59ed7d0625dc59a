"""Open a page in the browser of whoever sits at this terminal."""

from __future__ import annotations

import asyncio
import os
import sys
import webbrowser


async def open_page(url: str) -> bool:
    """
    Open a page and say whether there was a browser with a window to open it in.

    Text browsers are left alone: they would take the terminal over.
    """
    has_window = sys.platform == "darwin" or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    )
    if not has_window:
        return False
    return await asyncio.to_thread(webbrowser.open, url)
