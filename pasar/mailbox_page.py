"""The development mailbox in a browser: what customers would have got by mail."""

import re
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from core.mail import Mail, MailboxMailer

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Mailbox - Pasar</title>
<style>
  body {{ font: 16px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 46rem; padding: 0 1rem; color: #1c1917; }}
  h1 {{ font-size: 1.4rem; }}
  article {{ border: 1px solid #d6d3d1; border-radius: .5rem; margin: 1rem 0; padding: 1rem; }}
  h2 {{ font-size: 1rem; margin: 0 0 .25rem; }}
  p {{ margin: 0; color: #57534e; }}
  pre {{ white-space: pre-wrap; font: inherit; margin: .75rem 0 0; }}
</style>
</head>
<body>
<h1>Development mailbox</h1>
<p>Mail is kept here instead of being sent, because <code>PASAR_SMTP_URL</code> is not set. Newest first.</p>
{messages}
</body>
</html>
"""


def mailbox_route(mailbox: MailboxMailer) -> Route:
    """Return `/dev/mail`: a page, or JSON for whoever accepts `application/json`; `?to=` picks one recipient."""

    async def show(request: Request) -> Response:
        mails = await mailbox.read(to=request.query_params.get("to"))
        if "application/json" in request.headers.get("accept", ""):
            return JSONResponse(
                [{"id": mail.id, "to": mail.to, "subject": mail.subject, "text": mail.text} for mail in mails]
            )
        messages = "\n".join(_render(mail) for mail in mails) or "<p><em>No mail yet.</em></p>"
        # The page runs nothing; what customers typed cannot, either
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        return HTMLResponse(_PAGE.format(messages=messages), headers={"content-security-policy": policy})

    return Route("/dev/mail", show)


def _render(mail: Mail) -> str:
    text = re.sub(r"(https?://[^\s<>\"]+)", r'<a href="\1">\1</a>', escape(mail.text))
    return f"<article><h2>{escape(mail.subject)}</h2><p>To {escape(mail.to)}</p><pre>{text}</pre></article>"
