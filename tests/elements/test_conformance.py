"""Every element folder against every rule, and the published texts of the first element."""

from __future__ import annotations

from pathlib import Path

import pytest

from polyvalent.catalog.check import check_folder
from polyvalent.catalog.load import find_element_folders, load_catalog

FOLDERS = find_element_folders()

# In the order and with the values in which callers know them.
CONFIGURATION = (
    ("base.url", "{store.url}/api/rest"),
    ("oauth.api.secret", None),
    ("bulk.add_metadata", None),
    ("oauth.token.url", "{store.url}/oauth/token"),
    ("bulk.query.field_name", ""),
    ("pagination.max", "100"),
    ("oauth.user.token.secret", None),
    ("store.url", None),
    ("oauth.request.url", "{store.url}/oauth/initiate"),
    ("oauth.user.token", None),
    ("bulk.query.operator", ">="),
    ("bulk.query.date_mask", "yyyy-MM-dd'T'HH:mm:ssXXX"),
    ("oauth.authorization.url", "{store.url}/admin/oauth_authorize"),
    ("bulk.attribute.created_time", "created_at"),
    ("bulk.query.download_format", "JSON"),
    ("pagination.type", "page"),
    ("bulk.relations", None),
    ("oauth.callback.url", None),
    ("oauth.request.authorization.type", "header"),
    ("oauth.api.key", None),
)


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_finds_no_fault_in_an_element(folder: Path):
    assert check_folder(folder) == ()


def test_finds_the_folders():
    assert "magento" in [folder.name for folder in FOLDERS]


def test_keeps_the_published_configuration():
    element = load_catalog().find("356")

    assert tuple((item.key, item.default_value) for item in element.configuration) == CONFIGURATION
    missing = [item.key for item in element.configuration if item.required]
    assert {key for key in missing if dict(CONFIGURATION)[key] is None} == {
        "store.url",
        "oauth.api.key",
        "oauth.api.secret",
        "oauth.callback.url",
    }


def test_keeps_the_published_texts_and_flags():
    element = load_catalog().find("magento")

    assert (element.id, element.name, element.hub) == (356, "Magento", "ecommerce")
    assert element.authentication.type == "oauth1"
    assert element.description.startswith("Magento Commerce is the leading provider of open ")
    assert element.description.endswith("digital and physical shopping experiences.")
    assert len(element.description) == 226
    assert element.image == "https://upload.wikimedia.org/wikipedia/en/c/c2/Magento_logo.png"
    flags = (element.active, element.cloneable, element.transformations_enabled)
    assert flags == (True, True, True)
    assert (element.bulk_download_enabled, element.bulk_upload_enabled) == (True, True)
    assert (element.deleted, element.type_oauth, element.trial_account) == (False, False, False)


def test_keeps_its_numbers():
    element = load_catalog().find("magento")
    numbers = {item.key: item.id for item in element.configuration}
    resources = {f"{item.method} {item.path}": item.id for item in element.resources}

    assert numbers["store.url"] == 1886687888
    assert resources["GET /hubs/ecommerce/orders"] == 1299069559
