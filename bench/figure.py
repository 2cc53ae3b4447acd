"""What a benchmark found, and whether it is enough: figures of the form that `./dev bench NAME --json` has.

The twin of figure.h, for the benchmarks that are Python.
"""
import json
import statistics


def figure(what, value, unit, reach=None, at_most=False, beside=None, ratios=None, why=None):
    """RATIOS are ours to BESIDE's, one a round: their middle is then what must reach REACH, else VALUE is. WHY says that what would
    stand beside could not be had: nobody knows then whether it is enough; nor is VALUE (None) known where nothing can be measured."""
    ratio = statistics.median(ratios) if ratios else value / beside if beside else None
    judged = ratio if ratios else value
    ok = None if reach is None or why is not None else judged <= reach if at_most else judged >= reach
    return {"what": what, "value": None if value is None else round(value, 3), "unit": unit, "beside": None if beside is None else round(beside, 3),
            "ratio": None if ratio is None else round(ratio, 3), "reach": reach, "ok": ok,
            **({"spread": [round(min(ratios), 3), round(max(ratios), 3)]} if ratios else {}), **({"why": why} if why else {})}


def cell(value):
    return "" if value is None else f"{value:,.0f}" if abs(value) >= 1000 else f"{value:,.4g}"


def tell(name, figures, as_json):
    """All to standard output; the program's exit status: 1 if a reach is missed."""
    if as_json:
        print(json.dumps({"name": name, "figures": figures}))
    else:
        print(f"{'':46} {'value':>12} {'':10} {'beside':>12} {'ratio':>8} {'spread':17} {'reach':>8}")
        for f in figures:
            ok = {None: f.get("why", ""), True: "reached", False: "NOT REACHED"}[f["ok"]]
            print(f"{f['what']:46} {cell(f['value']):>12} {f['unit']:10} {cell(f['beside']):>12} {cell(f['ratio']):>8} "
                  f"{' to '.join(cell(s) for s in f.get('spread', [])):17} {cell(f['reach']):>8} {ok}".rstrip())
    return 1 if any(f["ok"] is False for f in figures) else 0
