"""Access to the console: who asks, what they may, and the log of what they did.

A page's router declares what it takes, and its functions get the person:

    router = APIRouter(dependencies=[Depends(needs("reader"))])

    @router.post("/x")
    def change(request: Request, person: Annotated[Person, Depends(needs("editor"))], form: Annotated[…, Depends(checked_form)])
"""
