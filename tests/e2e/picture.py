"""picture.py FILE WIDTH COLOUR...: the PNG is so wide, and each colour (as RRGGBB) covers at least 200 pixels of it."""
import struct
import sys
import zlib


def pixels(data):
    width, height, depth, kind = struct.unpack(">IIBB", data[16:26])
    assert depth == 8 and kind in (2, 6), (depth, kind)
    size = 3 if kind == 2 else 4
    at, packed = 8, b""
    while at < len(data):
        length, name = struct.unpack(">I4s", data[at:at + 8])
        if name == b"IDAT":
            packed += data[at + 8:at + 8 + length]
        at += 12 + length
    raw, line = zlib.decompress(packed), bytearray(width * size)
    for y in range(height):
        at = y * (width * size + 1)
        how, now = raw[at], bytearray(raw[at + 1:at + 1 + width * size])
        for i in range(len(now)):
            a = now[i - size] if i >= size else 0
            b = line[i]
            c = line[i - size] if i >= size else 0
            if how == 1:
                now[i] = (now[i] + a) & 255
            elif how == 2:
                now[i] = (now[i] + b) & 255
            elif how == 3:
                now[i] = (now[i] + (a + b) // 2) & 255
            elif how == 4:
                p = a + b - c
                near = min((abs(p - a), 0, a), (abs(p - b), 1, b), (abs(p - c), 2, c))[2]
                now[i] = (now[i] + near) & 255
        line = now
        yield width, [bytes(now[x:x + 3]) for x in range(0, len(now), size)]


counts, wide = {}, 0
for wide, row in pixels(open(sys.argv[1], "rb").read()):
    for colour in row:
        counts[colour] = counts.get(colour, 0) + 1
assert wide == int(sys.argv[2]), wide
for wanted in sys.argv[3:]:
    assert counts.get(bytes.fromhex(wanted), 0) >= 200, (wanted, len(counts))
