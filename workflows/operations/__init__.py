"""Workflows about many customers. They are no journeys: nobody walks them."""
