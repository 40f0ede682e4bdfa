"""Songs and degradations in the domain of the encoder's mel powers, and as audio."""
