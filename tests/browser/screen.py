"""One browser window on the app, and the words that tests use for what a person does in it."""

from playwright.sync_api import BrowserContext, expect

SHOWN_MS = 20_000


class Screen:
    """A page; what it said in the console and asked of other machines is kept."""

    def __init__(self, context: BrowserContext, url: str, own_404: str):
        self.url, self.own_404 = url, own_404
        self.errors, self.abroad = [], []
        self.page = context.new_page()
        self.page.set_default_timeout(SHOWN_MS)
        self.page.on("console", self._heard)
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.route("**/*", self._asked)

    def _heard(self, message):
        if message.type == "error" and self.own_404 not in message.location.get("url", ""):
            self.errors.append(f"{message.text} ({message.location.get('url')})")

    def _asked(self, route):
        if route.request.url.startswith((self.url, "data:", "blob:")):
            route.continue_()
        else:
            self.abroad.append(route.request.url)
            route.abort()

    def go(self, address, person=None):
        mark = "&" if "?" in address else "?"
        self.page.goto(f"{self.url}{address}" + (f"{mark}person={person}" if person else ""))
        self.settled()

    def settled(self):
        """Wait until the page has been drawn whole."""
        self.page.wait_for_selector('[data-testid="stApp"][data-test-script-state="notRunning"]')

    # --- the Label screen -------------------------------------------------------------------

    @property
    def board(self):
        return self.page.locator(".board")

    @property
    def product(self):
        """Return the shop's id of the product on the board."""
        self.page.wait_for_selector(".board[data-product]")
        return self.board.get_attribute("data-product")

    def press(self, key, before=None):
        """Press a key; with `before`, wait until another product than that is shown."""
        self.page.keyboard.press(key)
        if before is not None:
            expect(self.board).not_to_have_attribute("data-product", before)
            self.page.wait_for_timeout(150)  # a person doesn't decide faster, nor does the board

    def ready(self):
        """Wait until the board hears keys."""
        assert self.product
        self.page.wait_for_timeout(150)
        return self
