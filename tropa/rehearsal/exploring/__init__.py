"""Exploring: a bounded search through what a customer and the world may do at each point of a journey."""
