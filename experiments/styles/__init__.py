"""The bundled styles: published statistics, and what freely licensed songs measure."""
