from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, getcontext, localcontext


def render(props):
    total = sum(Decimal(p) for p in props["prices"])
    with localcontext(prec=50):
        root = Decimal(2).sqrt()
    return {"total": total, "up": total.quantize(Decimal("0.1"), ROUND_HALF_UP),
            "even": total.quantize(Decimal("0.1"), ROUND_HALF_EVEN), "root": root,
            "ln": Decimal(10).ln(), "prec": getcontext().prec, "text": f"{Decimal('1234567.891'):,.2f}"}
