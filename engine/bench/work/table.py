from html import escape


def row(number, order):
    cls = "odd" if number % 2 else "even"
    return (
        f'<tr class="{cls}"><td>{number}</td><td>{escape(order["customer"])}</td>'
        f'<td>{order["quantity"]}</td><td>{order["price"]:.2f}</td></tr>'
    )


def render(props):
    orders = props["orders"]
    total = sum(order["quantity"] * order["price"] for order in orders)
    body = "".join(row(i, order) for i, order in enumerate(orders, 1))
    return (
        f'<table><caption>{escape(props["title"])}</caption><tbody>{body}</tbody>'
        f'<tfoot><tr><td colspan="3">Total</td><td>{total:.2f}</td></tr></tfoot></table>'
    )
