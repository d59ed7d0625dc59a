"""The list of resources: which routes there are, and which functions answer them."""

from polyvalent.sandbox.magento import (
    addresses,
    customers,
    orders,
    product_images,
    product_parts,
    product_write,
    products,
    stock,
)
from polyvalent.sandbox.magento.ask import Resource

RESOURCES = (
    Resource(
        name="product",
        routes=(
            ("/products", "collection"),
            ("/products/:id", "entity"),
            ("/products/:id/store/:store", "entity"),
            ("/products/store/:store", "collection"),
            ("/products/category/:category_id", "collection"),
            ("/products/store/:store/category/:category_id", "collection"),
            ("/products/category/:category_id/store/:store", "collection"),
        ),
        handlers={
            "retrieve": products.retrieve,
            "list": products.retrieve_list,
            "create": product_write.create,
            "update": product_write.update,
            "delete": product_write.delete,
        },
    ),
    Resource(
        name="product_category",
        routes=(
            ("/products/:id/categories", "collection"),
            ("/products/:id/categories/:category_id", "entity"),
        ),
        handlers={
            "retrieve": products.retrieve_category_member,
            "list": product_parts.retrieve_categories,
            "create": product_parts.add_category,
            "update": product_parts.refuse,
            "delete": product_parts.remove_category,
        },
    ),
    Resource(
        name="product_image",
        routes=(
            ("/products/:id/images", "collection"),
            ("/products/:id/images/store/:store", "collection"),
            ("/products/:id/images/:image", "entity"),
            ("/products/:id/images/:image/store/:store", "entity"),
        ),
        handlers={
            "retrieve": product_images.retrieve,
            "list": product_images.retrieve_list,
            "create": product_images.create,
            "update": product_images.update,
            "delete": product_images.delete,
        },
    ),
    Resource(
        name="product_website",
        routes=(
            ("/products/:product_id/websites", "collection"),
            ("/products/:product_id/websites/:website_id", "entity"),
        ),
        handlers={
            "retrieve": product_parts.refuse,
            "list": product_parts.retrieve_websites,
            "create": product_parts.add_website,
            "multi_create": product_parts.add_websites,
            "update": product_parts.refuse,
            "delete": product_parts.remove_website,
        },
    ),
    Resource(
        name="stock_item",
        routes=(("/stockitems", "collection"), ("/stockitems/:id", "entity")),
        handlers={
            "retrieve": stock.retrieve,
            "list": stock.retrieve_list,
            "update": stock.update,
            "multi_update": stock.multi_update,
        },
    ),
    Resource(
        name="customer",
        routes=(("/customers", "collection"), ("/customers/:id", "entity")),
        handlers={
            "retrieve": customers.retrieve,
            "list": customers.retrieve_list,
            "create": customers.create,
            "update": customers.update,
            "delete": customers.delete,
        },
    ),
    Resource(
        name="customer_address",
        routes=(
            ("/customers/:customer_id/addresses", "collection"),
            ("/customers/addresses/:id", "entity"),
        ),
        handlers={
            "retrieve": addresses.retrieve,
            "list": addresses.retrieve_list,
            "create": addresses.create,
            "update": addresses.update,
            "delete": addresses.delete,
        },
    ),
    Resource(
        name="order",
        routes=(("/orders", "collection"), ("/orders/:id", "entity")),
        handlers={"retrieve": orders.retrieve, "list": orders.retrieve_list},
    ),
    Resource(
        name="order_item",
        routes=(("/orders/:id/items", "collection"),),
        handlers={"list": orders.retrieve_items},
    ),
    Resource(
        name="order_address",
        routes=(
            ("/orders/:order_id/addresses", "collection"),
            ("/orders/:order_id/addresses/:address_type", "entity"),
        ),
        handlers={"retrieve": orders.retrieve_address, "list": orders.retrieve_addresses},
    ),
    Resource(
        name="order_comment",
        routes=(("/orders/:id/comments", "collection"), ("/orders/comments/:id", "entity")),
        handlers={
            "retrieve": orders.retrieve_comment,
            "list": orders.retrieve_comments,
            "create": orders.create_comment,
        },
        only_newer=("/orders/comments/:id", "create"),
    ),
)
