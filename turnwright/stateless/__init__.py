"""Stateless generation (TC): plan, hide, request, translate back, execute, summarise, one turn after the other."""
