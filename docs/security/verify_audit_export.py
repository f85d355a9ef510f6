#!/usr/bin/env python3
"""Check an export of a Lumio audit log, NDJSON or CSV, with nothing but Python 3.9 or newer.

    python3 verify_audit_export.py FILE [--key HEX]     exit: 0 intact, 1 altered, 2 incomplete, 3 unreadable

HEX is the key that you noted from the audit page. How leaves and chains are made: audit-exports.md beside this file.
"""
import argparse, csv, datetime, hashlib, json, re, sys

FIELDS = """id account_id ts last_ts event result actor_type actor_id actor_label on_behalf_of auth_method
credential_id ip ip_source user_agent request_id target_type target_id detail count node""".split()
PERSONAL, NUMBERS = ("actor_label", "ip", "user_agent", "detail"), ("ts", "last_ts", "count", "position")
P, ORDER = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)
SIGNS = {"n": "\n", "r": "\r", "t": "\t", "e": "", "\\": "\\"}
def sha(*parts): return hashlib.sha256(b"".join(parts)).digest()
def need(fits, code, words):
    if not fits: sys.exit(print(("altered: ", "incomplete: ", "unreadable: ")[code - 1] + words) or code)
def add(p, q):  # RFC 8032, section 5.1.4
    a, b, c = (p[1] - p[0]) * (q[1] - q[0]), (p[1] + p[0]) * (q[1] + q[0]), 2 * p[3] * q[3] * D
    d, e, h = 2 * p[2] * q[2], b - a, b + a
    return e * (d - c) % P, (d + c) * h % P, (d - c) * (d + c) % P, e * h % P
def times(n, p):
    rest = times(n >> 1, add(p, p)) if n else (0, 1, 1, 0)
    return add(rest, p) if n & 1 else rest
def point(raw):  # section 5.1.3
    y, odd = int.from_bytes(raw, "little") & (2**255 - 1), raw[31] >> 7
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if x * x % P == square else x * ROOT % P
    need(y < P and x * x % P == square and (x or not odd), 1, "the last line is not signed by that key")
    x = x if x & 1 == odd else P - x
    return x, y, 1, x * y % P
def signed(said):  # section 5.1.7
    key, mark = bytes.fromhex(said["key"]), bytes.fromhex(said["signature"])
    plain = {name: value for name, value in said.items() if name != "signature"}
    text = b"lumio-audit-1\n" + json.dumps(plain, sort_keys=True, separators=(",", ":")).encode()
    s, h = int.from_bytes(mark[32:], "little"), hashlib.sha512(mark[:32] + key + text).digest()
    q = add(point(mark[:32]), times(int.from_bytes(h, "little") % ORDER, point(key)))
    p = times(s, point(b"\x58" + b"\x66" * 31))
    same = [(p[i] * q[2] - q[i] * p[2]) % P for i in (0, 1)] == [0, 0]
    return same and s < ORDER and (len(key), len(mark)) == (32, 64)
def leaf(row):
    parts, packed = [b"\0\1"], bytes.fromhex(row["commitments"] or "")
    for name in FIELDS:
        value = None if row[name] is None else str(row[name]).encode()
        if name in PERSONAL and row["commitments"] and value is None:
            value, packed = packed[1:33] if packed[0] else None, packed[1 + 32 * packed[0] :]
        elif name in PERSONAL and value is not None:
            value = sha(bytes.fromhex(row["salt"]), value)
        parts += [b"\xff" * 4] if value is None else [len(value).to_bytes(4, "big"), value]
    return sha(*parts)
def read(line, names):
    if names is None: return json.loads(line)
    plain = lambda found: SIGNS[found[1]] if len(found[1]) == 1 else chr(int(found[1][1:], 16))  # noqa: E731
    cells = [re.sub(r"\\(x..|u.{4}|U.{8}|[nrte\\])", plain, cell.removeprefix("'")) if cell else None
             for cell in next(csv.reader([line.decode()]))]  # fmt: skip
    return {name: int(cell) if cell and name in NUMBERS else cell for name, cell in zip(names, cells)}
def check(lines, pinned):
    digest, names, said, start, link, ends = hashlib.sha256(), None, {}, "", None, {}
    count = sealed = first = last = gap = 0
    for line in lines:
        need(not said, 1, "something follows the signed last line")
        need(line.endswith(b"\n"), 2, f"cut off after {count} events")
        said = json.loads(line.lstrip(b"#")) if line.startswith((b"#", b'{"statement"')) else {}
        digest.update(b"" if said else line)
        names = line.decode().strip().split(",") if line.startswith(b"timestamp,") else names
        if said or line.startswith(b"timestamp,"): continue
        row, count = read(line, names), count + 1
        here, account, before = row["position"], row["account_id"], row["account_prev"]
        where = f"event {count}" if here is None else f"position {here}"
        time = datetime.datetime.fromisoformat(row["timestamp"][:-1] + "+00:00").timestamp()
        need((round(time * 10**6), row["actor"]) == (row["ts"], row["actor_label"]), 1, f"{where}: shown otherwise")
        if here is not None:
            mark = leaf(row)
            need(sealed == count - 1 and here > last, 1, f"{where}: out of order")
            need(mark.hex() == row["leaf"], 1, f"{where}: the event is not the one that was sealed")
            after = sha(b"\1", link or b"", mark).hex()
            need(link is None or here != last + 1 or row["chain"] == after, 1, f"{where}: the chain does not hold")
            gap = gap or (here if account and ends.get(account, before) != before else 0)
            ends[account] = sha(b"\1", bytes.fromhex(before), mark).hex() if account else ""
            first, start, last, sealed = first or here, start or before, here, sealed + 1
            link = bytes.fromhex(row["chain"]) if row["chain"] else None
    need(said, 2, f"the signed last line is missing after {count} events")
    need(not (said["complete"] and gap), 1, f"position {gap}: an event before it is missing")
    need(pinned in {None, said["key"]} and signed(said), 1, "the last line is not signed by that key")
    told = (said["sha256"], said["count"], said["sealed"], said["first"], said["last"])
    need(told == (digest.hexdigest(), count, sealed, first, last), 1, "these are not the bytes that were signed")
    mine = (said["account_start"], said["account_end"]) == (start, ends.get(said["account"]))
    need(mine or not said["complete"] or said["account"] == "all" or not sealed, 1, "the chain has other ends")
    print(f"intact: {count} events, {sealed} sealed,", "all of the log" if said["complete"] else "a part of the log")
    print(f"signed by {said['key']}" + ("" if pinned else ": is that the key that you noted?"))
if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("file", "--key"): parser.add_argument(name)
    chosen = parser.parse_args()
    try:
        with open(chosen.file, "rb") as file: check(file, chosen.key)
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError, csv.Error, OverflowError) as error:
        need(False, 3, repr(error))
