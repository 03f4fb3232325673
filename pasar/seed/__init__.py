"""A store to try things on: catalogue, people and two years of orders, all derived from one seed number."""
