"""Send texts by e-mail, through the one server that the operator has named."""

from __future__ import annotations

import asyncio
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from urllib.parse import parse_qs, unquote, urlsplit

from polyvalent.errors import BadRequest, Misconfigured, Unavailable

TIMEOUT_S = 20.0
_EXPECTED = (
    "POLYVALENT_SMTP_URL must look like smtp://user:password@mail.example.com:587"
    "?from=polyvalent@example.com."
)
_PORTS = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, kw_only=True)
class Mailer:
    """Hold where mail is handed in, and in whose name it goes out; see `read_mailer`."""

    host: str
    port: int
    sender: str
    secure: bool = False  # TLS from the first byte; else it is begun where the server offers it
    user: str = ""
    password: str = field(default="", repr=False)

    async def send(self, to: str, subject: str, text: str, sender: str = "") -> None:
        """
        Hand one mail in.

        Raises BadRequest for an address that is none, Unavailable where the server does not take
        it. Effects: a mail.
        """
        mail = EmailMessage()
        try:
            mail["From"], mail["To"], mail["Subject"] = sender or self.sender, to, subject
        except ValueError:
            raise BadRequest("An address or the subject of the mail cannot be written.") from None
        mail.set_content(text)
        await asyncio.to_thread(self._hand_in, mail)

    def _hand_in(self, mail: EmailMessage) -> None:
        context = ssl.create_default_context()
        try:
            if self.secure:
                server: smtplib.SMTP = smtplib.SMTP_SSL(
                    self.host, self.port, timeout=TIMEOUT_S, context=context
                )
            else:
                server = smtplib.SMTP(self.host, self.port, timeout=TIMEOUT_S)
            with server:
                server.ehlo()
                if not self.secure and server.has_extn("starttls"):
                    server.starttls(context=context)
                if self.user:
                    server.login(self.user, self.password)
                server.send_message(mail)
        except smtplib.SMTPRecipientsRefused as error:
            raise BadRequest("The mail server does not take mail for this address.") from error
        except (OSError, smtplib.SMTPException) as error:
            raise Unavailable("The mail server does not take mail just now.") from error


async def send_nothing(_to: str, _subject: str, _text: str, _sender: str = "") -> None:
    """Refuse to send, where no mail server is named."""
    raise Unavailable("This platform sends no e-mail: POLYVALENT_SMTP_URL is not set.")


def read_mailer(url: str) -> Mailer:
    """
    Read where mail goes: "smtp://user:password@mail.example.com:587?from=poly@example.com".

    smtps:// speaks TLS from the first byte. Raises Misconfigured, never repeating the URL.
    """
    try:
        parts = urlsplit(url)
        port = parts.port or _PORTS[parts.scheme]
        sender = parse_qs(parts.query)["from"][0]
    except (ValueError, KeyError):
        raise Misconfigured(_EXPECTED) from None
    if not parts.hostname or "@" not in sender:
        raise Misconfigured(_EXPECTED)
    return Mailer(
        host=parts.hostname,
        port=port,
        sender=sender,
        secure=parts.scheme == "smtps",
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
    )
