"""The image gallery of a product; of a file only its first bytes are looked at."""

import base64
import binascii
from typing import Any

from polyvalent.sandbox.magento.ask import Ask, pick
from polyvalent.sandbox.magento.php_values import to_int
from polyvalent.sandbox.magento.products import find_product
from polyvalent.sandbox.magento.rest_errors import ApiError, invalid, not_found
from polyvalent.sandbox.magento.state import Row, new_code

EXTENSIONS = {"image/jpg": "jpg", "image/jpeg": "jpg", "image/png": "png", "image/gif": "gif"}
FIRST_BYTES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8")
WRITTEN = ("label", "position", "types", "exclude")


def shown_image(ask: Ask, image: Row) -> Row:
    """Show an image with its address."""
    row = ask.store.columns({k: v for k, v in image.items() if k not in ("file", "types")})
    row["url"] = f"{ask.call.base_url}/media/catalog/product{image['file']}"
    row["types"] = list(image["types"])
    return pick(row, ask.shown())


def retrieve_list(ask: Ask) -> Any:
    """Return the gallery of a product."""
    _, row = find_product(ask)
    return [shown_image(ask, image) for image in row.get("_images", [])]


def find_image(ask: Ask) -> tuple[int, list[Row], Row]:
    """Return product, gallery and the image that a route names."""
    product_id, row = find_product(ask)
    gallery = row.get("_images", [])
    for image in gallery:
        if str(image["id"]) == ask.route["image"]:
            return product_id, gallery, image
    raise not_found()


def retrieve(ask: Ask) -> Any:
    """Return one image; here a missing one has a message of its own."""
    _, row = find_product(ask)
    for image in row.get("_images", []):
        if str(image["id"]) == ask.route["image"]:
            return shown_image(ask, image)
    raise ApiError((404, "Product image not found"))


def create(ask: Ask) -> str:
    """Add an image to a product and return its location."""
    content, mime = ask.body.get("file_content"), ask.body.get("file_mime_type")
    if content in (None, "") or mime in (None, ""):
        raise invalid(["The image is not specified"])
    if mime not in EXTENSIONS:
        raise ApiError((400, "Unsuppoted image MIME type"))
    try:
        data = base64.b64decode(str(content), validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data:
        raise ApiError((400, "The image content must be valid base64 encoded data"))
    if not data.startswith(FIRST_BYTES):
        raise ApiError((400, "Resource unknown error."))
    product_id, row = find_product(ask)
    name = str(ask.body.get("file_name") or new_code()).lower()
    ask.store.image_id += 1
    image: Row = {
        "id": ask.store.image_id,
        "label": "",
        "position": max((i["position"] for i in row.get("_images", [])), default=0) + 1,
        "exclude": 0,
        "file": f"/{name[0]}/{name[1:2] or '_'}/{name}.{EXTENSIONS[str(mime)]}",
        "types": [],
    }
    gallery = [*row.get("_images", []), image]
    write(image, ask.body, gallery=gallery)
    ask.store.products.change(product_id, {"_images": gallery})
    return f"products/{product_id}/images/{image['id']}"


def write(image: Row, data: Row, *, gallery: list[Row]) -> None:
    """Store what was sent; a type belongs to one image of a product only."""
    for name in WRITTEN:
        if name not in data:
            continue
        value = data[name]
        if name == "types":
            image["types"] = [str(kind) for kind in value or []]
            for other in gallery:
                if other is not image:
                    other["types"] = [k for k in other["types"] if k not in image["types"]]
        elif name == "label":
            image[name] = str(value or "")
        else:
            image[name] = to_int(value)


def update(ask: Ask) -> None:
    """Change label, position, types or exclusion of an image."""
    product_id, gallery, image = find_image(ask)
    write(image, ask.body, gallery=gallery)
    ask.store.products.change(product_id, {"_images": gallery})


def delete(ask: Ask) -> None:
    """Remove an image."""
    product_id, gallery, image = find_image(ask)
    left = [other for other in gallery if other is not image]
    ask.store.products.change(product_id, {"_images": left})
