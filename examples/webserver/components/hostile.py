"""A component whose HTML attacks whoever looks at it."""


def render(props):
    return """<section>
<h1>Nothing happened</h1>
<p class="lead">The HTML of this page has a script, an event handler, a picture from elsewhere and a redirection.
The headers of the server stop them all.</p>
<script>document.title = "owned"</script>
<svg onload="document.title = 'owned'" aria-label="nothing" viewBox="0 0 860 1"></svg>
<img src="https://attacker.example/leak.png" onerror="document.title = 'owned'" alt="">
<meta http-equiv="refresh" content="0; url=https://attacker.example/">
</section>"""
