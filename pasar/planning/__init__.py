"""What `pasar plan` shows: the stages of planning as text, the plan as JSON, the plan as a picture."""
