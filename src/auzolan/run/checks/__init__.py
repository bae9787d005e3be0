"""What a text holds: topics, personal data, role markers, a judge's verdict. Checks see texts and decide nothing.

forms, plain_text   how texts are compared, and the way back to where something stands
nets, scan          topics, by words and patterns
numbers, personal   personal data that has a form
role_markers        what would let a person speak as another
judge               what a judge model is asked and says
release             how much of an answer may be sent while it is coming
language            which language it is in
"""
