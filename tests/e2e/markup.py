"""markup.py FILE: an HTML file whose elements are all closed, and whose links within the page lead somewhere."""
import html.parser
import sys

EMPTY = {"meta", "br", "hr", "img", "link", "input"}


class Check(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.open, self.ids, self.targets = [], set(), set()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        if "id" in attrs:
            assert attrs["id"] not in self.ids, attrs["id"]
            self.ids.add(attrs["id"])
        if tag == "a":
            self.targets.add(attrs["href"])
        if tag not in EMPTY:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())


check = Check()
check.feed(open(sys.argv[1], encoding="utf-8").read())
check.close()
assert not check.open, check.open
assert all(target[1:] in check.ids for target in check.targets), check.targets
