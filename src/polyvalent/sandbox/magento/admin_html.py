"""
The HTML of the authorization pages and of the outage pages.

Ids of forms, names of inputs and the wording of messages are the vendor's (recordings
oauth-authorize and rest-outage), because robots look for them; the looks are our own.
"""

from html import escape

STYLE = """
body{margin:0;min-height:100vh;display:flex;align-items:center;justify-content:center;
font:15px/1.5 system-ui,sans-serif;background:#f4f1ec;color:#2b2b2b}
main{background:#fff;border-top:4px solid #e26703;border-radius:6px;padding:2rem 2.25rem;
width:22rem;max-width:90vw;box-shadow:0 2px 18px rgba(0,0,0,.08)}
h1,h2{font-size:1.15rem;margin:0 0 .75rem}
label{display:block;font-size:.85rem;margin:.75rem 0 .2rem}
input[type=text],input[type=password]{box-sizing:border-box;width:100%;padding:.5rem .6rem;
border:1px solid #bbb;border-radius:4px;font:inherit}.no-display{display:none}
button{font:inherit;margin:1.1rem .5rem 0 0;padding:.5rem 1.1rem;border:0;border-radius:4px;
background:#e26703;color:#fff;cursor:pointer}button[title=Reject]{background:#e4e0da;color:#333}
form{display:inline}ul{margin:0 0 1rem;padding:0;list-style:none}
.error-msg span{color:#b3261e}.success-msg span{color:#1e6b34}.notice-msg span{color:#7a5a00}
footer{margin-top:1.5rem;font-size:.75rem;color:#888}
"""


def page(title: str, content: str) -> bytes:
    """Wrap content into a page."""
    return (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n"
        f"{content}\n<footer>Simulated store. Nothing here is real.</footer>\n"
        "</main>\n</body>\n</html>\n"
    ).encode()


def messages(texts: list[str], *, kind: str = "error") -> str:
    """List messages; `kind` is error, success or notice."""
    if not texts:
        return ""
    items = "".join(f"<li><span>{escape(text)}</span></li>" for text in texts)
    return f'<ul class="messages"><li class="{kind}-msg"><ul>{items}</ul></li></ul>'


def login_page(
    *,
    action: str,
    reject_url: str,
    application: str,
    form_key: str,
    token: str,
    texts: list[str],
) -> bytes:
    """Show the login form of the admin panel."""
    content = f"""{messages(texts)}
<form method="post" action="{escape(action)}" id="loginForm">
<input name="form_key" type="hidden" value="{escape(form_key)}" />
<h2>Log in to Admin Panel</h2>
<p class="description">Log in to use <strong>{escape(application)}</strong></p>
<label for="username">User Name:</label>
<input type="text" id="username" name="login[username]" value="" autofocus />
<label for="login">Password:</label>
<input type="password" class="no-display" name="dummy" id="dummy" tabindex="-1" />
<input type="password" id="login" name="login[password]" value="" />
<input type="hidden" name="oauth_token" value="{escape(token)}"/>
<button type="submit" class="form-button" title="Login">Login</button>
<button onclick="document.location.href='{escape(reject_url)}'; return false;" title="Reject">
Reject</button>
</form>"""
    return page("Log in to Admin Panel", content)


def customer_login_page(
    *, action: str, reject_url: str, application: str, form_key: str, texts: list[str]
) -> bytes:
    """Show the login form of the shop's customers."""
    content = f"""{messages(texts)}
<form action="{escape(action)}" method="post" id="login-form">
<input name="form_key" type="hidden" value="{escape(form_key)}" />
<h2>Log in as a customer</h2>
<p class="description">Log in to use <strong>{escape(application)}</strong></p>
<label for="email">Email Address</label>
<input type="text" name="login[username]" value="" id="email" title="Email Address" autofocus />
<label for="pass">Password</label>
<input type="password" name="login[password]" id="pass" title="Password" />
<button type="submit" class="button" title="Login" name="send">Login</button>
<button type="button" onclick="document.location.href='{escape(reject_url)}';" title="Reject">
Reject</button>
</form>"""
    return page("Customer Login", content)


def consent_page(*, confirm_url: str, reject_url: str, application: str, token: str) -> bytes:
    """Ask whether an application may have access."""
    content = f"""<h1>Authorize application</h1>
<h2><strong>{escape(application)}</strong> requests access to your account</h2>
<p>After authorization application will have access to you account.</p>
<form id="oauth_authorize_confirm" action="{escape(confirm_url)}" method="get">
<input type="hidden" name="oauth_token" value="{escape(token)}">
<button type="submit" class="button" title="Authorize"><span>Authorize</span></button>
</form>
<form id="oauth_authorize_reject" action="{escape(reject_url)}" method="get">
<input type="hidden" name="oauth_token" value="{escape(token)}">
<button type="submit" class="button" title="Reject"><span>Reject</span></button>
</form>"""
    return page("Authorize application", content)


def refused_page(heading: str, text: str) -> bytes:
    """Say why nothing can be authorized."""
    title = f"<h1>{escape(heading)}</h1>\n" if heading else ""
    return page(heading or "Authorization", title + messages([text]))


def verifier_page(verifier: str) -> bytes:
    """Show the verifier to copy by hand."""
    content = (
        "<h1>Confirmation Of Authorization</h1>\n"
        + messages(["Authorization confirmed."], kind="success")
        + "\n<p>Give the verifier code to application administrator</p>"
        + f"\n<p>Verifier code: {verifier}</p>"
    )
    return page("Confirmation Of Authorization", content)


def rejected_page() -> bytes:
    """Say that the request was rejected, where there is no address to go back to."""
    text = "The application access request is rejected."
    content = "<h1>Rejection Of Authorization</h1>\n" + messages([text], kind="notice")
    return page("Rejection Of Authorization", content)


def front_page(base_url: str, admin_url: str) -> bytes:
    """Greet a person who opens the store itself."""
    content = (
        "<h1>Simulated store</h1>\n"
        f"<p>REST at <code>{escape(base_url)}/api/rest</code>, authorization at "
        f"<code>{escape(base_url)}/oauth/initiate</code>, the admin at "
        f"<code>{escape(admin_url)}</code>, controls at "
        f'<a href="{escape(base_url)}/_sandbox/info">/_sandbox/info</a>.</p>'
    )
    return page("Simulated store", content)


def report_page() -> bytes:
    """Say that something broke, as the store's error processor does."""
    text = "There has been an error processing your request"
    return page(text, f"<h1>{text}</h1>\n<p>Exception printing is disabled by default.</p>")


def maintenance_page() -> bytes:
    """Say that the store is being maintained."""
    content = "<h1>Service Temporarily Unavailable</h1>\n<p>Please try again later.</p>"
    return page("Error 503: Service Unavailable", content)


def gateway_page(status: int, reason: str) -> bytes:
    """Answer as the web server does when PHP does not."""
    return (
        f"<html>\r\n<head><title>{status} {reason}</title></head>\r\n<body>\r\n"
        f"<center><h1>{status} {reason}</h1></center>\r\n<hr><center>nginx</center>\r\n"
        "</body>\r\n</html>\r\n"
    ).encode()
