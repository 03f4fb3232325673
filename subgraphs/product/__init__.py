"""The catalogue: categories, products, and how they are found."""
