"""looks.py REPORT DIR [SCREENSHOTS]: an HTML report in a real browser, at two widths, light and dark, by what the
browser measures: nothing is wider than the screen, no cells overlap, text has a contrast of 4.5 to 1 at least (WCAG 2.1,
1.4.3), the filter filters, and no two kinds of a picture have one colour."""
import base64
import fcntl
import hashlib
import json
import os
import re
import signal
import subprocess
import sys

REPORT, DIR = os.path.realpath(sys.argv[1]), sys.argv[2]
SHOTS = sys.argv[3] if len(sys.argv) > 3 else None

MEASURE = r"""
function luminance(c){return [0,1,2].reduce(function(sum,i){var v=c[i]/255;v=v<=.03928?v/12.92:Math.pow((v+.055)/1.055,2.4);
return sum+v*[.2126,.7152,.0722][i]},0)}
function colour(text){var m=text.match(/[\d.]+/g).map(Number);return m.length<4?m.concat(1):m}
function behind(e){for(;e;e=e.parentElement){var c=colour(getComputedStyle(e).backgroundColor);if(c[3]==1)return c}return [255,255,255]}
function own(e){return [].some.call(e.childNodes,function(n){return n.nodeType==3&&n.textContent.trim()})}
function box(e){var r=e.getBoundingClientRect();return [r.left,r.top,r.right,r.bottom]}
function name(e){return e.tagName+"."+(e.className.baseVal===undefined?e.className:"svg")+": "+e.textContent.slice(0,40)}
function measure(){
var m={width:innerWidth,dark:matchMedia("(prefers-color-scheme: dark)").matches,wide:[],overlaps:[],faint:[],texts:0,cells:0,pictures:[]};
m.page=document.documentElement.scrollWidth;
document.querySelectorAll("body *").forEach(function(e){
if(!e.getClientRects().length||e.closest("script"))return;
var scrolled=e.parentElement.closest(".scroll,pre");
if(box(e)[2]>innerWidth+.5&&(!scrolled||box(scrolled)[2]>innerWidth+.5||innerWidth<640&&!e.closest("pre")))m.wide.push(name(e));
if(own(e)){m.texts++;var a=luminance(colour(getComputedStyle(e).color)),b=luminance(behind(e)),
c=(Math.max(a,b)+.05)/(Math.min(a,b)+.05);if(c<4.5)m.faint.push(name(e)+" "+c.toFixed(2))}});
document.querySelectorAll("table").forEach(function(t){var cells=[].filter.call(t.querySelectorAll("th,td"),function(e){return e.getClientRects().length}).map(box);
m.cells+=cells.length;cells.forEach(function(a,i){cells.slice(i+1).forEach(function(b){
if(Math.min(a[2],b[2])-Math.max(a[0],b[0])>1.5&&Math.min(a[3],b[3])-Math.max(a[1],b[1])>1.5)m.overlaps.push([a,b])})})});
document.querySelectorAll(".counts,#filter,figure,section").forEach(function(t){var parts=[].filter.call(t.children,function(e){
return e.getClientRects().length&&!e.matches(".close")}).map(box);
parts.forEach(function(a,i){parts.slice(i+1).forEach(function(b){if(Math.min(a[2],b[2])-Math.max(a[0],b[0])>1.5&&
Math.min(a[3],b[3])-Math.max(a[1],b[1])>1.5)m.overlaps.push([name(t),a,b])})})});
document.querySelectorAll("svg").forEach(function(s){m.pictures.push({box:box(s),colours:[].map.call(s.querySelectorAll("path"),
function(p){return getComputedStyle(p).fill+p.classList.contains("x")})})});
return m}
function shown(){return document.querySelectorAll("tbody tr:not(.out),figure:not(.out)").length}
function ask(q,b){var f=document.getElementById("filter");f.elements.q.value=q;f.elements.b.checked=b;
f.elements.q.dispatchEvent(new Event("input",{bubbles:true}));return shown()}
(function(){var m=measure(),f=document.getElementById("filter");m.filter=!f.hidden;m.all=shown();
m.some=ask("DEMO-ALLOW",false);m.said=f.elements.n.value;m.bad=ask("",true);m.again=ask("",false);return JSON.stringify(m)})()
"""


class Browser:
    """Chromium without a window, over its DevTools protocol: a window cannot be as narrow as a phone."""

    def __init__(self):
        ours, theirs = os.pipe(), os.pipe()
        # Beyond 3 and 4, which are the browser's.
        ends = fcntl.fcntl(ours[0], fcntl.F_DUPFD_CLOEXEC, 10), fcntl.fcntl(theirs[1], fcntl.F_DUPFD_CLOEXEC, 10)

        def pipes():
            os.dup2(ends[0], 3)
            os.dup2(ends[1], 4)

        self.process = subprocess.Popen(
            ["chromium", "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
             "--disable-background-networking", "--disable-component-update", "--disable-sync", "--hide-scrollbars",
             f"--user-data-dir={DIR}/profile", "--remote-debugging-pipe", "about:blank"],
            preexec_fn=pipes, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for end in *ends, ours[0], theirs[1]:
            os.close(end)
        self.out, self.back, self.id, self.session, self.rest = ours[1], theirs[0], 0, None, b""
        self.events = []

    def read(self):
        while b"\0" not in self.rest:
            more = os.read(self.back, 1 << 20)
            assert more, "the browser has ended"
            self.rest += more
        message, self.rest = self.rest.split(b"\0", 1)
        return json.loads(message)

    def do(self, method, **params):
        self.id += 1
        message = {"id": self.id, "method": method, "params": params}
        if self.session:
            message["sessionId"] = self.session
        os.write(self.out, json.dumps(message).encode() + b"\0")
        while True:
            answer = self.read()
            if "method" in answer:
                self.events.append(answer["method"])
            if answer.get("id") == self.id:
                assert "error" not in answer, (method, answer)
                return answer["result"]

    def open(self, path):
        target = self.do("Target.createTarget", url="about:blank")["targetId"]
        self.session = self.do("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.do("Page.enable")
        self.do("Page.navigate", url="file://" + path)
        # It may have come before the answer to the question.
        while "Page.loadEventFired" not in self.events:
            self.events.append(self.read().get("method"))

    def be(self, width, dark):
        self.do("Emulation.setDeviceMetricsOverride", width=width, height=1400, deviceScaleFactor=1, mobile=width < 640)
        self.do("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}])

    def evaluate(self, text):
        result = self.do("Runtime.evaluate", expression=text)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")


text = open(REPORT, encoding="utf-8").read()
script = re.search("<script>(.*)</script>", text, re.S).group(1)
wanted = "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
assert f"script-src '{wanted}'" in text, f"fg_look_script_hash must be {wanted}"


def too_long(number, frame):
    raise TimeoutError("the browser takes too long")


signal.signal(signal.SIGALRM, too_long)
signal.alarm(200)
browser = Browser()
try:
    browser.open(REPORT)
    for width in 1280, 390:
        for dark in False, True:
            browser.be(width, dark)
            m = json.loads(browser.evaluate(MEASURE))
            where = f"at {width}, {'dark' if dark else 'light'}: "
            assert m["width"] == width and m["dark"] == dark, (where, m["width"], m["dark"])
            assert m["texts"] > 50 and m["cells"] > 10, (where, m["texts"], m["cells"])
            assert m["page"] <= width and not m["wide"], (where, m["page"], m["wide"][:5])
            assert not m["overlaps"], (where, m["overlaps"][:5])
            assert not m["faint"], (where, m["faint"][:5])
            assert m["pictures"], where
            for picture in m["pictures"]:
                left, top, right, bottom = picture["box"]
                assert right - left > 300 and bottom - top >= 4, (where, picture)
                assert len(set(picture["colours"])) == len(picture["colours"]), (where, picture)
            assert m["filter"] and 0 < m["some"] < m["all"] and m["said"].startswith(f"{m['some']} of {m['all']} "), (where, m)
            assert 0 < m["bad"] < m["all"] == m["again"], (where, m)
            if SHOTS:
                with open(f"{SHOTS}/report-{width}{'-dark' if dark else ''}.png", "wb") as out:
                    out.write(base64.b64decode(browser.do("Page.captureScreenshot")["data"]))
finally:
    browser.process.kill()
    browser.process.wait()
