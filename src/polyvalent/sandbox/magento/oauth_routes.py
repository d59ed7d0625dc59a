"""
The two machine endpoints of the authorization: /oauth/initiate and /oauth/token.

The method is not looked at, and neither is Accept: answers are form-encoded text.
"""

from polyvalent.sandbox.magento.exchange import FORM, NO_CACHE, Answer, Call
from polyvalent.sandbox.magento.oauth_verify import OAuthProblem, verify
from polyvalent.sandbox.magento.state import Store, Token, new_code

CLEAN_UP_CHANCE = 0.01
REQUEST_TOKEN_LIFE_S = 120 * 60


def initiate(store: Store, call: Call) -> Answer:
    """
    Hand out a request token.

    The body is "oauth_token=…&oauth_token_secret=…&oauth_callback_confirmed=true".
    """
    try:
        verified = verify(store, call, kind="initiate")
    except OAuthProblem as problem:
        return refuse(problem)
    forget_old_tokens(store)
    token = Token(
        created_at_s=store.now_s(),
        token=new_code(),
        secret=new_code(),
        consumer_id=verified.consumer.consumer_id,
        callback=verified.parameters["oauth_callback"],
    )
    store.tokens[token.token] = token
    return grant(token, tail="&oauth_callback_confirmed=true")


def forget_old_tokens(store: Store) -> None:
    """Delete request tokens of more than two hours, with one call in a hundred as the vendor."""
    if store.happens(CLEAN_UP_CHANCE):
        oldest_s = store.now_s() - REQUEST_TOKEN_LIFE_S
        for token in list(store.tokens.values()):
            if not token.is_access and 0 < token.created_at_s < oldest_s:
                del store.tokens[token.token]


def exchange_token(store: Store, call: Call) -> Answer:
    """
    Turn an authorized request token into an access token, in place.

    The request token stops existing, so a second exchange is refused as token_rejected.
    """
    try:
        token = verify(store, call, kind="token").token
    except OAuthProblem as problem:
        return refuse(problem)
    assert token is not None
    del store.tokens[token.token]
    token.token = new_code()
    token.secret = new_code()
    token.is_access = True
    store.tokens[token.token] = token
    return grant(token, tail="")


def grant(token: Token, *, tail: str) -> Answer:
    """Answer with a token and its secret."""
    return form_answer(200, f"oauth_token={token.token}&oauth_token_secret={token.secret}{tail}")


def refuse(problem: OAuthProblem) -> Answer:
    """Answer with a problem; a message in it is not encoded, as with the vendor."""
    return form_answer(problem.status, f"oauth_problem={problem.text}")


def form_answer(status: int, text: str) -> Answer:
    """Answer in the endpoint's own content type, with the cookie that means nothing."""
    cookie = ("Set-Cookie", f"PHPSESSID={new_code()}; Max-Age=3600; path=/; HttpOnly")
    return Answer(status=status, content_type=FORM, body=text.encode(), headers=(cookie, *NO_CACHE))
