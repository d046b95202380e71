"""A person at a browser: follows links and redirects, keeps cookies, fills in the forms of the local identity provider."""

import http.cookiejar
import urllib.error
import urllib.parse
import urllib.request
from html.parser import HTMLParser


class Form(HTMLParser):
    """The first form of a page."""

    def __init__(self, page):
        super().__init__()
        self.action, self.fields = None, {}
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        if tag == "form" and self.action is None:
            self.action = attributes["action"]
        elif tag == "input":
            self.fields[attributes["name"]] = attributes.get("value", "")


class Stay(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_):
        return None


class Browser:
    def __init__(self, site):
        self.site = site
        cookies = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self.opener = urllib.request.build_opener(cookies, Stay, urllib.request.ProxyHandler({}))

    def open(self, url, form=None):
        """Status, address to go on to, and page of one request."""
        data = None if form is None else urllib.parse.urlencode(form).encode()
        try:
            answer = self.opener.open(urllib.request.Request(url, data=data))
        except urllib.error.HTTPError as error:
            answer = error
        location = answer.headers.get("location")
        return answer.status, location and urllib.parse.urljoin(url, location), answer.read().decode()

    def follow(self, url, form=None):
        """Goes on while the site leads on. Returns the address, and the page if it is of the site."""
        while url.startswith(f"{self.site}/"):
            _, location, page = self.open(url, form)
            if location is None:
                return url, page
            url, form = location, None
        return url, None

    def decide(self, link, user, decision):
        """Signs in, and decides on what is asked for. Returns the address and page at which that ends."""
        url, page = self.follow(link)
        for answer in ({"user": user}, {"decision": decision}):
            form = Form(page)
            url, page = self.follow(urllib.parse.urljoin(url, form.action), form.fields | answer)
        return url, page

    def consent(self, link, user="ada"):
        """Allows it. Returns the parameters with which the application's return URL is called."""
        url, page = self.decide(link, user, "allow")
        assert page is None, page
        return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query))
