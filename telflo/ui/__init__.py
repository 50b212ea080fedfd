"""Presentation shared by every page: words, icons, bars, times, navigation. No domain code."""
