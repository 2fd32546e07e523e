"""Inference beyond one fit."""
