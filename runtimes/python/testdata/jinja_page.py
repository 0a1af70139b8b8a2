import jinja2
from markupsafe import Markup, escape

env = jinja2.Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, loader=jinja2.DictLoader({
    "base": "<title>{% block title %}{% endblock %}</title>{% block body %}{% endblock %}",
    "page": """{% extends "base" %}
{% macro cell(x, cls='') %}<td{% if cls %} class="{{ cls }}"{% endif %}>{{ x }}</td>{% endmacro %}
{% block title %}{{ title|title }}{% endblock %}
{% block body %}
<table>
{% for row in rows if row.n > 0 %}
<tr>{{ cell(loop.index) }}{{ cell(row.name, 'name') }}{{ cell('%.2f'|format(row.n)) }}</tr>
{% else %}
<tr><td>none</td></tr>
{% endfor %}
</table>
{{ rows|map(attribute='name')|join(', ')|upper }}
{% set total = rows|sum(attribute='n') %}
{{ total|round(1) }} {{ raw }} {{ missing|default('-') }}
{% endblock %}"""}))


def render(props):
    return env.get_template("page").render(raw=Markup("<hr>") + escape("<x>"), **props)
