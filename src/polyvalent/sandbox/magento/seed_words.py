"""The words that seeded data is made of."""

KINDS = (
    # noun, SKU prefix, category, size attribute
    ("Boot", "SHO", 4, True),
    ("Sneaker", "SHO", 4, True),
    ("Shirt", "SHI", 5, True),
    ("Polo", "SHI", 5, True),
    ("Cap", "HAT", 6, True),
    ("Beanie", "HAT", 6, True),
    ("Camera", "CAM", 8, False),
    ("Camcorder", "CAM", 8, False),
    ("Phone", "PHO", 9, False),
    ("Notebook", "LAP", 10, False),
    ("Chair", "FUR", 12, False),
    ("Sofa", "FUR", 12, False),
    ("Kettle", "KIT", 13, False),
    ("Pan", "KIT", 13, False),
)
STYLES = [
    "Classic",
    "Modern",
    "Royal",
    "Slim",
    "Bold",
    "Vintage",
    "Eco",
    "Crisp",
    "Heavy",
    "Ultra",
    "Urban",
    "Alpine",
    "Coastal",
    "Nordic",
]
COLORS = ("Black", "White", "Red", "Blue", "Green")
CATEGORIES = {
    1: "Root Catalog",
    2: "Default Category",
    3: "Clothing",
    4: "Shoes",
    5: "Shirts",
    6: "Hats",
    7: "Electronics",
    8: "Cameras",
    9: "Phones",
    10: "Laptops",
    11: "Home",
    12: "Furniture",
    13: "Kitchen",
}
PARENTS = {4: 3, 5: 3, 6: 3, 8: 7, 9: 7, 10: 7, 12: 11, 13: 11}
FIRST_NAMES = [
    "Grace",
    "Alan",
    "Linus",
    "Ada",
    "Dennis",
    "Barbara",
    "Donald",
    "Frances",
    "Edsger",
    "Margaret",
    "Niklaus",
    "Radia",
    "José",
    "Zoë",
    "Søren",
    "Łukasz",
    "Chloé",
    "Björn",
    "Mei",
    "Yuki",
]
LAST_NAMES = (
    "Hopper",
    "van der Berg",
    "Ritchie",
    "Liskov",
    "Åberg",
    "O'Neill",
    "Núñez",
    "Müller",
    "Dubois",
    "Rossi",
    "Kowalski",
    "Smith-Jones",
    "Tanaka",
    "Silva",
    "Novák",
)
# country, region, city, postcode, telephone prefix, tax rate in percent
PLACES = (
    ("US", "New York", "New York", "10001", "212", 8.375),
    ("US", "California", "Los Angeles", "90001", "213", 8.25),
    ("US", "Texas", "Austin", "73301", "512", 0.0),
    ("US", "Illinois", "Chicago", "60601", "312", 0.0),
    ("DE", "Berlin", "Berlin", "10115", "+49 30", 0.0),
    ("DE", "Bayern", "München", "80331", "+49 89", 0.0),
    ("FR", "Paris", "Paris", "75001", "+33 1", 0.0),
    ("CA", "Ontario", "Toronto", "M5H 2N2", "416", 0.0),
    ("GB", None, "London", "SW1A 1AA", "+44 20", 0.0),
    ("JP", None, "東京", "100-0001", "+81 3", 0.0),
)
STREETS = ("Main St.", "Market St.", "Station Rd.", "Mill Lane", "Elm Street", "Harbour Way")
COMPANIES = ("Example Ltd.", "Sample & Sons", "Placeholder GmbH")
MAIL_DOMAINS = ("example.com", "example.org", "example.net")
