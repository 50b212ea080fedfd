"""Telling people and programs outside what happened: subscriptions, an outbox, deliveries by webhook and e-mail.

It knows neither fleets nor rollouts: who has something to tell hands it over, in the transaction of what it tells.
"""
