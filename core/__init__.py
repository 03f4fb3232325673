"""What every part of the store stands on: settings, identity, tokens, money, MongoDB, events and jobs."""
